/**
 * What coordination costs, in the service's units an hour, beside the Java library; and what one worker takes that owns thousands of idle shards. The
 * Java library's units are computed from its fixed intervals and the rows of its own tables; only the open shards' rows are held against it.
 */
import { readUnits } from './capacity.ts';
import { type Case, coordination, type Hour } from './coordination.ts';
import { type Consumption, type IdleWorker, idleWorker } from './idle-worker.ts';

const MINUTE_MS = 60_000;
const HOUR_S = 3_600;
const WINDOWS: Readonly<Record<number, number>> = { 1: 60 * MINUTE_MS, 100: 10 * MINUTE_MS, 5000: MINUTE_MS };

const CASES: readonly Case[] = Object.entries(WINDOWS).flatMap(([shards, windowMs]) =>
  [false, true].flatMap(busy => [1, 3].map(workers => ({ shards: Number(shards), workers, busy, windowMs }))),
);

const IDLE: readonly IdleWorker[] = [
  { shards: 5_000, generations: 0, idleMs: 5_000, seconds: 30 },
  { shards: 5_000, generations: 0, idleMs: 1_000, seconds: 30 },
  { shards: 5_000, generations: 6, idleMs: 5_000, seconds: 30 },
];

/** KCL 3.5 with its defaults: failover time 10 s; one page, so one checkpoint, a second on a busy shard. */
const JAVA = { renewS: 3.308, scanS: 20, discoverS: 10, listS: 120, workerS: 30, leaderS: 30, rowBytes: 227, indexBytes: 60 };

interface Units {
  readonly reads: number;
  readonly writes: number;
  readonly describes: number;
}

export async function benchLeases(say: (line: string) => void): Promise<readonly object[]> {
  const rows: object[] = [];
  say('Coordination: units an hour (lease and control table), and DescribeStream calls; x: to the Java library');
  for (const one of CASES) {
    const hour = await coordination(one);
    say(hourLine(hour));
    rows.push({ ...hour, reads: Object.fromEntries(hour.reads), writes: Object.fromEntries(hour.writes) });
  }
  say('One worker as a process, at rest: poll 250 ms, then idle; a stub over HTTP');
  for (const of of IDLE) {
    const took = await idleWorker(of);
    say(idleLine(of, took));
    rows.push({ ...of, ...took });
  }
  return rows;
}

function javaUnits({ shards, workers, busy }: Case): Units {
  const perHour = (seconds: number) => HOUR_S / seconds;
  const index = workers * perHour(JAVA.discoverS) * readUnits((shards / workers) * JAVA.indexBytes, false);
  return {
    reads: perHour(JAVA.scanS) * readUnits(shards * JAVA.rowBytes, false) + index,
    writes: shards * (perHour(JAVA.renewS) + (busy ? HOUR_S : 0)) + workers * perHour(JAVA.workerS) + perHour(JAVA.leaderS),
    describes: perHour(JAVA.listS) * Math.max(1, Math.ceil((shards * 7) / 100)),
  };
}

function hourLine(hour: Hour): string {
  const java = javaUnits(hour);
  const sum = (of: Hour['reads'], wanted: (kind: string) => boolean = () => true) =>
    [...of].reduce((units, [kind, count]) => units + (wanted(kind) ? count.units : 0), 0);
  const reads = sum(hour.reads);
  const writes = sum(hour.writes);
  const name = `${count(hour.shards)} ${hour.busy ? 'busy' : 'idle'}, ${hour.workers} worker${hour.workers > 1 ? 's' : ''}`;
  const parts = [
    `${count(writes).padStart(11)} write (x${(writes / java.writes).toFixed(2)}; renewals ${count(sum(hour.writes, kind => kind === 'renewal'))}, checkpoints ${count(sum(hour.writes, kind => kind === 'checkpoint'))})`,
    `${count(reads).padStart(11)} read (x${(reads / java.reads).toFixed(1)}; scans ${count(sum(hour.reads, kind => kind.startsWith('Scan')))} of ${count(hour.rows)} rows of ${hour.rowBytes} B)`,
    `${count(hour.describes).padStart(7)} DescribeStream (x${(hour.describes / java.describes).toFixed(2)})`,
  ];
  return `  ${name.padEnd(24)} ${parts.join('  ')}`;
}

function idleLine(of: IdleWorker, took: Consumption): string {
  const rates = Object.entries(took.requests)
    .filter(([, rate]) => rate >= 1)
    .map(([name, rate]) => `${name} ${count(rate)}/s`);
  const name = `${count(of.shards)} idle, ${count(of.shards * (of.generations + 1))} rows, idle ${of.idleMs} ms`;
  return `  ${name.padEnd(40)} ${took.cpuMsPerSecond.toFixed(0)} ms CPU/s  RSS ${took.rssMiB.toFixed(0)} MiB  live heap ${took.heapMiB.toFixed(0)} MiB  owned after ${took.startSeconds.toFixed(1)} s  ${rates.join(', ')}`;
}

const count = (value: number): string => Math.round(value).toLocaleString('en');
