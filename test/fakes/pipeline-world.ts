/**
 * A partition with its sinks on a virtual clock: scripted targets that the test can make slow, refusing, hanging or lying, a progress in memory, and
 * everything that was delivered, in order. What unit tests of the pipeline and its simulation stand on.
 */
import { z } from 'zod';
import { type Batch, type Connector, type Host, type Sink, SinkFault, type Traits, type Written } from '../../src/connector.ts';
import type { ChangeRecord, Source } from '../../src/model/change-record.ts';
import type { Delivery } from '../../src/model/delivery.ts';
import type { Gap } from '../../src/model/page.ts';
import type { Position } from '../../src/model/position.ts';
import { Budget } from '../../src/pipeline/budget.ts';
import { OpenSink } from '../../src/pipeline/open-sink.ts';
import { type PartitionRun, startRun } from '../../src/pipeline/run.ts';
import type { RunParts } from '../../src/pipeline/run-parts.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Log } from '../../src/ports/log.ts';
import type { Progress } from '../../src/ports/progress.ts';
import { seededRandom } from './virtual-clock.ts';

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLog };

export const SOURCE: Source = {
  origin: 'stream',
  table: 'orders',
  region: 'us-east-1',
  streamArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-01-01T00:00:00.000',
  streamCreatedAt: Date.UTC(2026, 0, 1),
  viewType: 'NEW_AND_OLD_IMAGES',
  keyNames: ['pk'],
  partition: 'shard-1',
};

/** A small record of one key; `n` is its sequence number. */
export function simpleRecord(n: number, key: string, more: Partial<ChangeRecord> = {}): ChangeRecord {
  const token = String(n).padStart(21, '0');
  const keys = { pk: { S: key } };
  return {
    source: SOURCE,
    kind: 'modify',
    key: `S${key}`,
    keys,
    after: { ...keys, n: { N: String(n) } },
    token,
    changedAt: SOURCE.streamCreatedAt,
    eventId: `event-${n}`,
    eventName: 'MODIFY',
    eventVersion: '1.1',
    sizeBytes: 100,
    bytes: 200,
    ...more,
  };
}

export const DELIVERY: Delivery = {
  maximumBackoffSeconds: 10,
  maximumRetryAttempts: -1,
  maximumRecordAgeInSeconds: -1,
  bisectBatchOnFunctionError: true,
};

export const TRAITS: Traits = {
  order: 'key',
  coalesce: 'never',
  oncePerKey: false,
  inFlight: 4,
  batch: { records: 25, bytes: 1_000_000, waitMs: 0 },
  timeoutMs: 10_000,
};

/** What a scripted target does with a batch; it is told to write what becomes durable. */
export type Behaviour = (batch: Batch, at: { signal: AbortSignal; target: ScriptedTarget; clock: Clock }) => Promise<Written>;

export class ScriptedTarget {
  /** Everything durable, in the order in which it arrived. */
  readonly delivered: ChangeRecord[] = [];
  batches: number[] = [];
  inFlight = 0;
  mostInFlight = 0;
  opened = 0;
  closed = 0;
  refuseOpen: SinkFault | undefined;
  behaviour: Behaviour;
  readonly traits: Traits;

  constructor(traits: Partial<Traits> = {}, behaviour: Behaviour = writesAll()) {
    this.traits = { ...TRAITS, ...traits };
    this.behaviour = behaviour;
  }

  store(records: readonly ChangeRecord[]): void {
    this.delivered.push(...records);
  }

  connector(clock: Clock): Connector<unknown> {
    return {
      schema: z.unknown(),
      traits: () => this.traits,
      open: async () => {
        if (this.refuseOpen) throw this.refuseOpen;
        this.opened += 1;
        return this.#sink(clock);
      },
    };
  }

  #sink(clock: Clock): Sink {
    return {
      write: async (batch, signal) => {
        this.inFlight += 1;
        this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
        this.batches.push(batch.records.length);
        try {
          return await this.behaviour(batch, { signal, target: this, clock });
        } finally {
          this.inFlight -= 1;
        }
      },
      close: async () => {
        this.closed += 1;
      },
    };
  }
}

/** Durable after `ms`. */
export const writesAll =
  (ms = 1): Behaviour =>
  async (batch, { signal, target, clock }) => {
    await clock.sleep(ms, signal);
    if (signal.aborted) throw new Error('aborted');
    target.store(batch.records);
    return { failed: [] };
  };

/** Never settles but by its abort. */
export const hangs: Behaviour = (_batch, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }));

/** Durable, but the answer is lost. */
export const doneButFailed: Behaviour = async (batch, { target }) => {
  target.store(batch.records);
  throw new Error('the answer was lost');
};

export const throttles: Behaviour = async () => {
  throw new SinkFault('retry', 'slow down');
};

export function memoryProgress(): Progress & { positions: Map<string, Position>; saves: number; lost: boolean } {
  const positions = new Map<string, Position>();
  return {
    positions,
    saves: 0,
    lost: false,
    async load() {
      return new Map(positions);
    },
    async save(moved) {
      if (this.lost) return 'lost';
      this.saves += 1;
      for (const [name, position] of moved) positions.set(name, position);
      return 'saved';
    },
  };
}

export interface World {
  readonly clock: Clock;
  readonly sinks: ReadonlyMap<string, OpenSink>;
  readonly gaps: { sinks: readonly string[]; gap: Gap }[];
  readonly ended: string[];
  readonly run: PartitionRun;
}

/** Whatever can be opened as a sink. */
export interface Opens {
  connector(clock: Clock): Connector<unknown>;
}

export type WorldParts = Pick<RunParts, 'reader' | 'progress'> & { clock: Clock; targets: Readonly<Record<string, Opens>> } & Partial<{
    delivery: Partial<Delivery>;
    budget: Budget;
    admitted: readonly string[];
    paused: readonly string[];
    startAt: (sink: string) => Position;
    fatal: (error: Error) => void;
    seed: number;
    /** How long it takes to write a gap down. */
    gapMs: number;
  }>;

/** Opens the sinks and starts a run over them. */
export async function startWorld(parts: WorldParts): Promise<World> {
  const { clock } = parts;
  const sinks = await openSinks(parts);
  const gaps: World['gaps'] = [];
  const ended: string[] = [];
  const run = await startRun({
    labels: { pipeline: 'orders', table: 'orders', partition: 'shard-1' },
    reader: parts.reader,
    progress: parts.progress,
    sinks: [...sinks.values()],
    admitted: new Set(parts.admitted ?? sinks.keys()),
    startAt: parts.startAt ?? (() => ({ at: 'start' })),
    budget: parts.budget ?? new Budget({ limitBytes: 64 * 1024 * 1024, sinks: sinks.size }),
    clock,
    random: seededRandom((parts.seed ?? 1) + 1),
    log: silentLog,
    observer: {},
    replayedBefore: 0,
    onEnd: sink => ended.push(sink),
    onGap: async (names, gap) => {
      if (parts.gapMs !== undefined) await clock.sleep(parts.gapMs, new AbortController().signal);
      gaps.push({ sinks: names, gap });
    },
  });
  return { clock, sinks, gaps, ended, run };
}

async function openSinks(parts: WorldParts): Promise<Map<string, OpenSink>> {
  const { clock } = parts;
  const random = seededRandom(parts.seed ?? 1);
  const sinks = new Map<string, OpenSink>();
  for (const [name, target] of Object.entries(parts.targets)) {
    const delivery = { ...DELIVERY, ...parts.delivery };
    const host = {
      name,
      writer: 'test/orders',
      sources: [],
      clock,
      random,
      log: silentLog,
      signal: new AbortController().signal,
    } as unknown as Host;
    const sink = new OpenSink({
      name,
      type: 'scripted',
      connector: target.connector(clock),
      options: {},
      delivery,
      host,
      clock,
      log: silentLog,
      fatal: parts.fatal ?? raise,
    });
    await sink.open();
    if (parts.paused?.includes(name)) sink.pause();
    sinks.set(name, sink);
  }
  return sinks;
}

function raise(error: Error): never {
  throw error;
}

/** `count` records over `keys` keys, interleaved. */
export const manyRecords = (count: number, keys: number, more: Partial<ChangeRecord> = {}): ChangeRecord[] =>
  Array.from({ length: count }, (_, i) => simpleRecord(i + 1, `k${(i * 7919) % keys}`, more));

/** First deliveries of each key, compared with the stream: the first key out of order, or undefined. */
export function outOfOrder(delivered: readonly ChangeRecord[]): string | undefined {
  const highest = new Map<string, string>();
  const seen = new Set<string>();
  for (const record of delivered) {
    if (seen.has(record.token)) continue;
    seen.add(record.token);
    const before = highest.get(record.key);
    if (before !== undefined && before > record.token) return `${record.key}: ${record.token} came after ${before}`;
    highest.set(record.key, record.token);
  }
  return undefined;
}

/** Law 8: the sum of all outcomes is what was read. */
export function accountsAreRight(sink: OpenSink): boolean {
  const { read, ...others } = sink.accounts.counts;
  return read === Object.values(others).reduce((sum, n) => sum + n, 0);
}
