/**
 * What a file of signed lines tells of a fleet: who wrote when, how long a table was without its reader and why, which changes came twice and whether that
 * was within the bound, and whether anybody wrote who had lost the right to.
 */
import { percentiles } from '../run/held-against.ts';
import type { Fault, Line } from './fleet.ts';

/** From one process to the next, of one table. */
export interface Change {
  readonly table: string;
  readonly from: number;
  readonly to: number;
  readonly cause: 'kill' | 'freeze' | 'lost' | 'handed';
  /** From the fault, or from the last line of the one to the first of the other. */
  readonly ms: number;
  /** The fault that caused it was alone; of a hand-over: no other process was killed or frozen, to whom it might have gone. */
  readonly alone: boolean;
}

/** A lease that a process says to have lost. */
export interface Loss {
  readonly pid: number;
  readonly at: number;
}

/** A line may be written while a signal is on its way. */
const SIGNAL_MS = 100;
/** Nobody takes a lease, gives it away and takes it again within this. */
const TWICE_MS = 1_000;

const of = (lines: readonly Line[]) => Map.groupBy(lines, ({ table }) => table);

interface Events {
  readonly faults: readonly Fault[];
  readonly losses: readonly Loss[];
  /** After it nobody takes a killed or frozen process for alive. */
  readonly leaseMs: number;
}

export function changes(lines: readonly Line[], events: Events): readonly Change[] {
  return [...of(lines)].flatMap(([table, own]) =>
    own.flatMap((line, i): Change[] => {
      const before = own[i - 1];
      if (before === undefined || before.pid === line.pid) return [];
      return [{ table, from: before.pid, to: line.pid, ...causeOf(before, line, events) }];
    }),
  );
}

function causeOf(last: Line, first: Line, { faults, losses, leaseMs }: Events): Pick<Change, 'cause' | 'ms' | 'alone'> {
  const own = faults.filter(({ pid, kind, at }) => pid === last.pid && (kind === 'kill' || kind === 'freeze') && at <= first.at);
  const fault = own.findLast(({ at }) => last.at <= at + SIGNAL_MS);
  if (fault?.kind === 'kill' || fault?.kind === 'freeze') return { cause: fault.kind, ms: first.at - fault.at, alone: fault.alone };
  const lost = losses.some(({ pid, at }) => pid === last.pid && at >= last.at - SIGNAL_MS && at <= first.at + 5_000);
  const mayBeTarget = ({ kind, at, until = at }: Fault) =>
    kind !== 'term' && kind !== 'join' && at <= first.at && until + leaseMs >= last.at;
  return { cause: lost ? 'lost' : 'handed', ms: first.at - last.at, alone: !faults.some(mayBeTarget) };
}

/** Lines of a process in the midst of another one's, who cannot have handed the lease over and taken it back in between. */
export function zombies(lines: readonly Line[]): readonly string[] {
  return [...of(lines)].flatMap(([table, own]) => {
    const blocks: { pid: number; from: number; to: number }[] = [];
    for (const { pid, at } of own) {
      const block = blocks.at(-1);
      if (block?.pid === pid) block.to = at;
      else blocks.push({ pid, from: at, to: at });
    }
    return blocks.flatMap((block, i) => {
      const [before, after] = [blocks[i - 1], blocks[i + 1]];
      if (before === undefined || after === undefined || before.pid !== after.pid || after.from - before.to >= TWICE_MS) return [];
      return [`${table}: process ${block.pid} wrote at ${block.from} between lines of ${before.pid} at ${before.to} and ${after.from}`];
    });
  });
}

/** How long before its writer was stopped in some way each change that came twice had come first; `unexplained`: nothing had stopped its writer. */
export function duplicates(lines: readonly Line[], faults: readonly Fault[], losses: readonly Loss[]) {
  const first = new Map<string, Line>();
  const stops = new Map<number, number[]>();
  const stop = (pid: number, at: number) => stops.set(pid, [...(stops.get(pid) ?? []), at]);
  for (const { kind, pid, at } of faults) if (kind === 'kill' || kind === 'freeze') stop(pid, at);
  for (const { pid, at } of losses) stop(pid, at);
  const agesMs: number[] = [];
  const unexplained: string[] = [];
  for (const line of lines) {
    const id = `${line.key}#${line.change}`;
    const before = first.get(id);
    if (before === undefined) {
      first.set(id, line);
      continue;
    }
    const later = (stops.get(before.pid) ?? []).filter(at => at >= before.at - SIGNAL_MS && at <= line.at + SIGNAL_MS);
    if (later.length === 0) unexplained.push(`${id}, by ${before.pid} at ${before.at} and by ${line.pid} at ${line.at}`);
    else agesMs.push(Math.max(0, Math.min(...later.map(at => at - before.at))));
  }
  return { agesMs, unexplained };
}

/** Leases that a process says to have lost, by its log. */
export function lossesOf(pid: number, stderr: string): readonly Loss[] {
  return stderr.split('\n').flatMap(line => {
    if (!line.includes('"msg":"the lease is lost')) return [];
    const { time } = JSON.parse(line) as { time: string };
    return [{ pid, at: Date.parse(time) }];
  });
}

export function shown(what: string, ms: readonly number[]): string {
  if (ms.length === 0) return `${what}: none`;
  const { p50Ms = 0, p99Ms = 0 } = percentiles(ms);
  return `${what}: p50 ${Math.round(p50Ms)} ms, p99 ${Math.round(p99Ms)} ms, longest ${Math.round(Math.max(...ms))} ms, of ${ms.length}`;
}
