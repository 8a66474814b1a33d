/** Holds what a target shows against what was written: nothing missing, nothing invented, first deliveries of each order in order, copies counted. */
import { isDeepStrictEqual } from 'node:util';
import type { OrderWriter } from './order-writer.ts';
import type { readTable, Seen } from './read-back.ts';

export interface Verdict {
  readonly target: string;
  readonly records: number;
  readonly missing: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
  /** Items or events that differ from the truth. */
  readonly differences: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly ok: boolean;
  /** The first thing that is wrong. */
  readonly example: string | undefined;
}

export function heldAgainst(
  history: OrderWriter['history'],
  seen: readonly Seen[],
  target: { name: string; exactlyOnce: boolean; lagMs?: readonly number[] },
): Verdict {
  const counted = new Map<string, number>();
  const reached = new Map<string, number>();
  let outOfOrder = 0;
  let invented = 0;
  let example: string | undefined;
  const places = new Map([...history].map(([key, changes]) => [key, new Map(changes.map((change, i) => [change, i]))]));
  for (const { key, change } of seen) {
    const id = `${key}#${change}`;
    const before = counted.get(id) ?? 0;
    counted.set(id, before + 1);
    const place = places.get(key)?.get(change);
    if (place === undefined) {
      invented += 1;
      example ??= `${id} was never written`;
    } else if (before === 0) {
      if (place !== (reached.get(key) ?? -1) + 1) {
        outOfOrder += 1;
        example ??= `${id} came after change ${reached.get(key) ?? -1}`;
      }
      reached.set(key, Math.max(reached.get(key) ?? -1, place));
    }
  }
  const wanted = [...history].flatMap(([key, changes]) => changes.map(change => `${key}#${change}`));
  const missing = wanted.filter(id => !counted.has(id));
  if (missing.length > 0) example ??= `${missing[0]} is missing`;
  const duplicates = seen.length - counted.size;
  const differences = missing.length + invented + outOfOrder + (target.exactlyOnce ? duplicates : 0);
  const lag = target.lagMs ?? lagsOf(seen);
  return {
    target: target.name,
    records: seen.length,
    missing: missing.length,
    duplicates,
    outOfOrder,
    differences,
    ...percentiles(lag),
    ok: differences === 0,
    example: differences === 0 ? undefined : (example ?? 'an event is there twice'),
  };
}

/** Of each change when it first came. A removal is left out: it shows the item that it removed, with the time of that one. */
export function lagsOf(seen: readonly Seen[]): number[] {
  const first = new Map<string, number>();
  for (const { key, change, at, writtenAt } of seen) {
    const id = `${key}#${change}`;
    if (at !== undefined && !change.endsWith('d') && !first.has(id)) first.set(id, Math.max(0, at - writtenAt));
  }
  return [...first.values()];
}

type Table = Awaited<ReturnType<typeof readTable>>;

/** Item for item, without the replica's stamp. */
export function tablesAlike(source: Table, replica: Table, target: { name: string; lagMs: readonly number[] }): Verdict {
  let differences = 0;
  let example: string | undefined;
  for (const key of new Set([...source.keys(), ...replica.keys()])) {
    const { _tm, ...copy } = replica.get(key) ?? {};
    if (isDeepStrictEqual(sorted(source.get(key) ?? {}), sorted(copy))) continue;
    differences += 1;
    example ??= `item ${key}: ${source.has(key) ? (replica.has(key) ? 'differs' : 'is missing') : 'should be gone'}`;
  }
  const missing = [...source.keys()].filter(key => !replica.has(key)).length;
  return {
    target: target.name,
    records: replica.size,
    missing,
    duplicates: 0,
    outOfOrder: 0,
    differences,
    ...percentiles(target.lagMs),
    ok: differences === 0,
    example,
  };
}

/** Sets have no order. */
function sorted(item: Readonly<Record<string, unknown>>): unknown {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => {
      const set = (value as { SS?: string[] }).SS;
      return [name, set ? { SS: [...set].sort() } : value];
    }),
  );
}

export function percentiles(values: readonly number[]): { p50Ms: number | undefined; p99Ms: number | undefined } {
  const ordered = [...values].sort((a, b) => a - b);
  const at = (share: number) => ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * share))];
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
