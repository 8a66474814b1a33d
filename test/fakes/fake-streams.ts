/**
 * DynamoDB Streams in memory, behind the port that the real adapter implements, on a test's clock. It does what the service does (iterators that expire
 * after 15 minutes, records trimmed after 24 hours, at most 1,000 records or 1 MB a page, two readers of a shard, listings that lag), can be told to
 * do what local servers do instead, and to fail: by script, or by chance from a seed. It counts what would be billed.
 */
import { compareTokens } from '../../src/model/position.ts';
import type { EpochMs, Ms } from '../../src/model/units.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { IteratorAnswer, IteratorPlace, ReadAnswer, ShardListing, StreamApi, StreamDescription } from '../../src/ports/stream-api.ts';
import { type FakeShard, FakeStream, type FakeStreamParts, ordinalOf } from './fake-stream.ts';
import { ReaderSlots } from './fake-stream-readers.ts';
import { SERVICE, type StreamCall, type StreamFate, type StreamRules } from './fake-stream-rules.ts';

const EMPTY_BODY_BYTES = 20;

export class FakeStreams implements StreamApi {
  readonly rules: StreamRules;
  readonly streams = new Map<string, FakeStream>();
  /** Calls that arrived. */
  readonly calls: Record<StreamCall['operation'], number> = { describe: 0, children: 0, iterator: 0, read: 0 };
  /** Reads that would be billed. */
  reads = 0;
  throttled = 0;
  fate: (call: StreamCall) => StreamFate = () => 'pass';
  readonly slots: ReaderSlots;
  readonly #clock: Clock;
  readonly #startedAt: EpochMs;
  readonly #describedAt: Ms[] = [];
  #number = 10n ** 20n;
  #iterators = 0;

  constructor(clock: Clock, rules: Partial<StreamRules> = {}) {
    this.#clock = clock;
    this.#startedAt = clock.now() - clock.elapsed();
    this.rules = { ...SERVICE, ...rules };
    this.slots = new ReaderSlots(clock);
  }

  /** The server's own date: a worker's wall clock may jump, this one does not. */
  now(): EpochMs {
    return this.#startedAt + this.#clock.elapsed();
  }

  create(parts: Partial<Omit<FakeStreamParts, 'now' | 'numbers'>> & { readonly roots?: number } = {}): FakeStream {
    const createdAt = this.now();
    const table = parts.table ?? 'orders';
    const label = `${new Date(createdAt).toISOString().slice(0, -1)}-${this.streams.size}`;
    const stream = new FakeStream(
      {
        arn: `arn:aws:dynamodb:us-east-1:000000000000:table/${table}/stream/${label}`,
        table,
        region: 'us-east-1',
        keyNames: ['pk'],
        viewType: 'NEW_AND_OLD_IMAGES',
        createdAt,
        cutMs: 1_000,
        shardId: (madeAt, nth) => `shardId-${String(madeAt).padStart(20, '0')}-${nth.toString(16).padStart(8, '0')}`,
        ...parts,
        now: () => this.now(),
        numbers: { next: () => String(this.#number++), peek: () => String(this.#number) },
      },
      parts.roots ?? 1,
    );
    this.streams.set(stream.arn, stream);
    return stream;
  }

  /** Sequence numbers go on from here. */
  numberFrom(number: bigint): void {
    this.#number = number;
  }

  async describe(streamArn: string, signal: AbortSignal): Promise<StreamDescription> {
    return this.#served({ operation: 'describe', streamArn }, signal, () => {
      const stream = this.#standing(streamArn);
      const { arn, table, region, viewType, keyNames, createdAt } = stream.parts;
      const shards = stream.status === 'ENABLING' ? [] : this.#listing(stream, this.rules.listingDelayMs);
      return { arn, table, region, status: stream.status, viewType, keyNames, createdAt, shards, servedAt: this.now() };
    });
  }

  async children(streamArn: string, shardId: string, signal: AbortSignal): Promise<readonly ShardListing[] | 'unsupported'> {
    return this.#served({ operation: 'children', streamArn, shardId }, signal, () => {
      const stream = this.#standing(streamArn);
      if (this.rules.childFilter === 'unsupported') return 'unsupported';
      return this.#listing(stream, this.rules.childrenDelayMs).filter(shard => shard.parentShardId === shardId);
    });
  }

  async iterator(
    { streamArn, partition: shardId }: Parameters<StreamApi['iterator']>[0],
    place: IteratorPlace,
    signal: AbortSignal,
  ): Promise<IteratorAnswer> {
    return this.#served({ operation: 'iterator', streamArn, shardId, place }, signal, fate => {
      if (fate === 'trimmed' || fate === 'gone' || fate === 'throttled') return { is: fate };
      const stream = this.streams.get(streamArn);
      const shard = stream?.shards.get(shardId);
      if (stream === undefined || shard === undefined || stream.isGone(shard, this.rules.retentionMs)) return { is: 'gone' };
      const ordinal = this.#ordinalOf(shard, place, stream.trimmed(shard, this.rules.retentionMs));
      if (ordinal === 'trimmed') return { is: 'trimmed' };
      this.#iterators += 1;
      return { is: 'iterator', iterator: this.#iteratorText(shardId, ordinal, this.#iterators), servedAt: this.now() };
    });
  }

  async read(iterator: string, source: Parameters<StreamApi['read']>[1], signal: AbortSignal): Promise<ReadAnswer> {
    const { shardId, ordinal, chain, issuedAt } = JSON.parse(iterator) as IteratorState;
    const { streamArn } = source;
    return this.#served({ operation: 'read', streamArn, shardId }, signal, fate => {
      if (fate === 'trimmed' || fate === 'gone' || fate === 'throttled' || fate === 'expired') return { is: fate };
      const stream = this.streams.get(streamArn);
      const shard = stream?.shards.get(shardId);
      if (stream === undefined || shard === undefined || stream.isGone(shard, this.rules.retentionMs)) return { is: 'gone' };
      if (this.#clock.elapsed() - issuedAt > this.rules.iteratorLifeMs) return { is: 'expired' };
      if (ordinal < stream.trimmed(shard, this.rules.retentionMs)) return { is: 'trimmed' };
      if (!this.slots.take(shardId, chain, this.rules.readers)) return { is: 'throttled' };
      this.reads += 1;
      const page = this.#page(shard, ordinal, fate);
      const next = this.#next(shard, { ordinal, read: page.length, chain });
      const records = page.map(stored => ({ ...stored, source }));
      // As the adapter counts: the records share the body among them.
      const bytes = records.reduce((sum, record) => sum + record.bytes, 0) || EMPTY_BODY_BYTES;
      return { is: 'page', records, bytes, servedAt: this.now(), ...(next !== undefined && { next }) };
    });
  }

  #standing(streamArn: string): FakeStream {
    const stream = this.streams.get(streamArn);
    if (stream === undefined || stream.removed) {
      throw new ServiceFault('ResourceNotFoundException', 'Requested resource not found', { class: 'missing', status: 400 });
    }
    return stream;
  }

  #listing(stream: FakeStream, lagMs: Ms): ShardListing[] {
    const { retentionMs, staysListed } = this.rules;
    const shards = [...stream.shards.values()].filter(shard => staysListed || !stream.isGone(shard, retentionMs));
    // In no promised order.
    return shards.reverse().flatMap(shard => stream.listed(shard, lagMs) ?? []);
  }

  #ordinalOf(shard: FakeShard, place: IteratorPlace, trimmed: number): number | 'trimmed' {
    if (!('token' in place)) return place.type === 'LATEST' ? shard.stored.length : trimmed;
    const { token } = place;
    const at = ordinalOf(shard, token);
    const isKnown = shard.stored[at]?.token === token || compareTokens(token, shard.startingToken) === 0;
    if (!isKnown && this.rules.unknownNumber === 'trimmed') return 'trimmed';
    if (!isKnown && this.rules.unknownNumber === 'from-start') return trimmed;
    if (!isKnown) throw new ServiceFault('InternalFailure', 'The request processing has failed', { class: 'server', status: 500 });
    const isTrimmed = at < trimmed;
    if (isTrimmed && this.rules.trimRefusedAt === 'iterator') return 'trimmed';
    // The record itself is gone, so even what follows it directly cannot be read from it.
    if (isTrimmed) return at;
    return place.type === 'AT_SEQUENCE_NUMBER' || shard.stored[at]?.token !== token ? at : at + 1;
  }

  #page(shard: FakeShard, ordinal: number, fate: StreamFate): FakeShard['stored'] {
    if (fate === 'empty') return [];
    const { pageRecords, pageBytes } = this.rules;
    const page: FakeShard['stored'] = [];
    let bytes = 0;
    for (const stored of shard.stored.slice(ordinal, ordinal + (fate === 'short' ? 1 : pageRecords))) {
      if (page.length > 0 && bytes + stored.sizeBytes > pageBytes) break;
      page.push(stored);
      bytes += stored.sizeBytes;
    }
    return page;
  }

  #next(shard: FakeShard, { ordinal, read, chain }: { ordinal: number; read: number; chain: number }): string | undefined {
    const to = ordinal + read;
    const isThrough = to >= shard.stored.length;
    if (isThrough && shard.closedAt !== undefined && (read === 0 || !this.rules.endsEmpty)) return undefined;
    if (isThrough && shard.closedAt === undefined && this.rules.nextOnOpen !== 'given') {
      return this.rules.nextOnOpen === 'empty-text' ? '' : undefined;
    }
    return this.#iteratorText(shard.id, to, chain);
  }

  #iteratorText(shardId: string, ordinal: number, chain: number): string {
    return JSON.stringify({ shardId, ordinal, chain, issuedAt: this.#clock.elapsed() } satisfies IteratorState);
  }

  /** Runs `answer` at one instant, half the latency after the call, and gives its result after the other half. */
  async #served<T>(call: StreamCall, signal: AbortSignal, answer: (fate: StreamFate) => T): Promise<T> {
    this.calls[call.operation] += 1;
    const fate = this.fate(call);
    await undefined;
    const delayMs = this.rules.latencyMs + (typeof fate === 'object' && 'delayMs' in fate ? fate.delayMs : 0);
    await this.#pass(delayMs / 2, signal);
    if (fate instanceof ServiceFault) throw fate;
    if (call.operation === 'describe' || call.operation === 'children') this.#limitDescribes(fate);
    const given = answer(fate);
    if (typeof given === 'object' && given !== null && 'is' in given && given.is === 'throttled') this.throttled += 1;
    await this.#pass(delayMs / 2, signal);
    if (fate === 'lost') throw new ServiceFault('ECONNRESET', 'no answer', { class: 'network' });
    return given;
  }

  #limitDescribes(fate: StreamFate): void {
    const elapsed = this.#clock.elapsed();
    while ((this.#describedAt[0] ?? elapsed) < elapsed - 1_000) this.#describedAt.shift();
    if (fate !== 'throttled' && this.#describedAt.length < this.rules.describesPerSecond) this.#describedAt.push(elapsed);
    else throw new ServiceFault('LimitExceededException', 'Subscriber limit exceeded', { class: 'throttled', status: 400 });
  }

  async #pass(ms: Ms, signal: AbortSignal): Promise<void> {
    if (ms > 0) await this.#clock.sleep(ms, signal);
    if (signal.aborted) throw new ServiceFault('AbortError', 'aborted', { class: 'aborted' });
  }
}

interface IteratorState {
  readonly shardId: string;
  readonly ordinal: number;
  /** All iterators that came of one GetShardIterator: one reader. */
  readonly chain: number;
  readonly issuedAt: Ms;
}
