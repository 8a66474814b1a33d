/**
 * Readers of shards over fake streams on a virtual clock, and followers that take page after page and keep what came. What the scenarios of reading
 * stand on.
 */
import type { ChangeRecord } from '../../src/model/change-record.ts';
import type { Gap, Page } from '../../src/model/page.ts';
import type { Position } from '../../src/model/position.ts';
import type { Ms } from '../../src/model/units.ts';
import type { Reader } from '../../src/ports/reader.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { StreamDescription } from '../../src/ports/stream-api.ts';
import { closedShards, shardStanding } from '../../src/shards/lineage.ts';
import { shardReader } from '../../src/shards/shard-reader.ts';
import type { ShardReaderParts } from '../../src/shards/shard-reader-parts.ts';
import type { FakeStream } from './fake-stream.ts';
import type { StreamRules } from './fake-stream-rules.ts';
import { FakeStreams } from './fake-streams.ts';
import { keptLog } from './lease-world.ts';
import { seededRandom, virtualClock } from './virtual-clock.ts';

export const HOUR: Ms = 3_600_000;

export class ShardWorld {
  readonly clock = virtualClock();
  readonly random;
  readonly streams: FakeStreams;
  readonly stream: FakeStream;
  readonly log = keptLog();
  /** What the observer was told. */
  readonly seen = { reads: 0, records: 0, throttles: 0 };

  constructor(rules: Partial<StreamRules> = {}, more: { seed?: number; shardId?: (madeAt: number, nth: number) => string } = {}) {
    this.random = seededRandom(more.seed ?? 1);
    this.streams = new FakeStreams(this.clock, rules);
    this.stream = this.streams.create(more.shardId && { shardId: more.shardId });
  }

  /** The stream's first open shard. */
  get shardId(): string {
    const [shard] = this.stream.open;
    if (shard === undefined) throw new Error('no shard is open');
    return shard.id;
  }

  append(count: number, shardId = this.shardId): void {
    for (let i = 0; i < count; i++) this.stream.append(shardId);
  }

  reader(shardId: string, more: Partial<ShardReaderParts> = {}): Reader {
    return shardReader({
      api: this.streams,
      source: this.stream.source(shardId),
      labels: { pipeline: 'orders', table: 'orders', partition: shardId },
      clock: this.clock,
      random: this.random,
      log: this.log,
      observer: {
        pageRead: (_, page) => {
          this.seen.reads += 1;
          this.seen.records += page.records;
        },
        sourceThrottled: () => {
          this.seen.throttles += 1;
        },
      },
      pollMs: 250,
      idleMs: 250,
      startingToken: this.stream.shards.get(shardId)?.startingToken,
      isClosed: () => this.#closed().has(shardId),
      standing: async signal => shardStanding(await this.#description(signal), shardId, this.streams.now()),
      tipIterator: () => undefined,
      ...more,
    });
  }

  follow(shardId: string, from: Position = { at: 'start' }, more: Partial<ShardReaderParts> = {}): Follower {
    return new Follower(this.reader(shardId, more), from);
  }

  #closed(): ReadonlySet<string> {
    const shards = [...this.stream.shards.values()].flatMap(shard => this.stream.listed(shard, this.streams.rules.listingDelayMs) ?? []);
    return closedShards({ status: this.stream.status, shards });
  }

  async #description(signal: AbortSignal): Promise<StreamDescription | undefined> {
    try {
      return await this.streams.describe(this.stream.arn, signal);
    } catch (error) {
      if (error instanceof ServiceFault && error.class === 'missing') return undefined;
      throw error;
    }
  }
}

export class Follower {
  readonly pages: Page[] = [];
  /** Reads no further while it is true: permits are held back. */
  paused = false;
  ended = false;
  error: unknown;
  readonly done: Promise<void>;
  readonly stop = new AbortController();
  #resume: () => void = () => {};

  constructor(reader: Reader, from: Position) {
    this.done = this.#run(reader, from);
  }

  get records(): ChangeRecord[] {
    return this.pages.flatMap(page => page.records);
  }

  get tokens(): string[] {
    return this.records.map(record => record.token);
  }

  get gaps(): Gap[] {
    return this.pages.flatMap(page => page.gap ?? []);
  }

  /** What a sink would have saved if everything that came were durable. */
  get position(): Position {
    const last = this.records.at(-1);
    return last === undefined ? { at: 'start' } : { at: 'after', token: last.token, changedAt: last.changedAt };
  }

  resume(): void {
    this.paused = false;
    this.#resume();
  }

  async #run(reader: Reader, from: Position): Promise<void> {
    try {
      for await (const page of reader.pages(from, this.stop.signal, () => this.#permit())) {
        if (!page.unanswered) this.pages.push(page);
        if (page.end) this.ended = true;
      }
    } catch (error) {
      this.error = error;
    }
  }

  async #permit(): Promise<boolean> {
    while (this.paused && !this.stop.signal.aborted) {
      await new Promise<void>(resolve => {
        this.#resume = resolve;
        this.stop.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    return !this.stop.signal.aborted;
  }
}

/** The sequence numbers of everything that was written to a shard. */
export function written(stream: FakeStream, shardId: string): string[] {
  return stream.shard(shardId).stored.map(({ token }) => token);
}
