/** A lease table, a clock and one worker's parts around them, for tests of leases. A worker's own clock may jump: a frozen process, a stopped machine. */
import type { EpochMs, Ms } from '../../src/model/units.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { LeaseRow } from '../../src/ports/lease-store.ts';
import { leaseKey } from '../../src/ports/lease-store.ts';
import type { Log } from '../../src/ports/log.ts';
import type { Crew } from '../../src/shards/membership.ts';
import type { Fate } from './fake-faults.ts';
import { FakeLeaseStore } from './fake-lease-store.ts';
import { seededRandom, type VirtualClock, virtualClock } from './virtual-clock.ts';

export const ARN = 'arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-01-01T00:00:00.000';
export const NEVER = new AbortController().signal;
export const TIMING = { durationMs: 10_000, renewMs: 3_000 };

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A log that keeps its lines. */
export function keptLog(lines: Line[] = [], own: Readonly<Record<string, unknown>> = {}): Log & { readonly lines: readonly Line[] } {
  const at = (level: Line['level']) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    lines.push({ level, fields: { ...own, ...fields }, message });
  };
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: fields => keptLog(lines, { ...own, ...fields }),
  };
}

/** A clock of one process on a machine: `freeze` lets time pass without anything running in it, `suspend` stops the monotonic clock alone. */
export interface OwnClock extends Clock {
  freeze(ms: Ms): void;
  jumpWall(ms: Ms): void;
}

export function ownClock(machine: VirtualClock): OwnClock {
  let passed = 0;
  let wall = 0;
  return {
    now: (): EpochMs => machine.now() + passed + wall,
    elapsed: () => machine.elapsed() + passed,
    after: machine.after,
    sleep: machine.sleep,
    freeze: ms => {
      passed += ms;
    },
    jumpWall: ms => {
      wall += ms;
    },
  };
}

/** A worker that knows of no other. */
export function alone(id: string): Crew {
  const me = { id, weight: 1, draining: false, serves: new Set([ARN]), unable: new Set<string>() };
  return { workers: [me], nextDeath: undefined, look: async () => {}, ring: () => {} };
}

export class LeaseWorld {
  readonly clock = virtualClock();
  readonly random = seededRandom(1);
  readonly log = keptLog();
  fate: (operation: string, key: string) => Fate = () => 'pass';
  readonly store = new FakeLeaseStore({ fate: (operation, key) => this.fate(operation, key), clock: this.clock });

  async row(shardId: string, parents: readonly string[] = []): Promise<LeaseRow> {
    await this.store.create({ key: leaseKey(ARN, shardId), parents, checkpoint: 'TRIM_HORIZON' }, NEVER);
    return this.standing(shardId);
  }

  standing(shardId: string): LeaseRow {
    const row = this.store.rows.get(leaseKey(ARN, shardId));
    if (row === undefined) throw new Error(`no row for ${shardId}`);
    return row;
  }
}
