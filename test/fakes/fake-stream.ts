/**
 * One DynamoDB stream in memory: shards that split and roll, records that are appended and trimmed by age, listings that lag. It keeps the truth; how
 * it is asked for, and what goes wrong then, is in fake-streams.ts.
 */
import type { ChangeRecord, Source, ViewType } from '../../src/model/change-record.ts';
import { type KeyNames, keyOf } from '../../src/model/key.ts';
import { compareTokens, type Token } from '../../src/model/position.ts';
import type { EpochMs, Ms } from '../../src/model/units.ts';
import type { ShardListing } from '../../src/ports/stream-api.ts';

export type Stored = Omit<ChangeRecord, 'source'>;

export interface FakeChange extends Partial<Stored> {
  /** Of the hash attribute; or give `keys`. */
  readonly pk?: string;
}

export interface FakeShard {
  readonly id: string;
  readonly parent: string | undefined;
  readonly madeAt: EpochMs;
  readonly startingToken: Token;
  /** Of the keys' hash space [0, 1). */
  readonly range: readonly [number, number];
  readonly stored: Stored[];
  /** When each was written, by the server's clock. */
  readonly writtenAt: EpochMs[];
  closedAt?: EpochMs;
  endingToken?: Token;
}

export interface FakeStreamParts {
  readonly arn: string;
  readonly table: string;
  readonly region: string;
  readonly keyNames: KeyNames;
  readonly viewType: ViewType;
  readonly createdAt: EpochMs;
  readonly now: () => EpochMs;
  /** The server's next sequence number; `peek` does not use it up. */
  readonly numbers: { next(): Token; peek(): Token };
  /** A record's time is cut to this: a second on the service, a minute on DynamoDB Local. */
  readonly cutMs: Ms;
  readonly shardId: (madeAt: EpochMs, nth: number) => string;
}

export class FakeStream {
  readonly parts: FakeStreamParts;
  readonly shards = new Map<string, FakeShard>();
  status: 'ENABLING' | 'ENABLED' | 'DISABLING' | 'DISABLED' = 'ENABLED';
  removed = false;

  constructor(parts: FakeStreamParts, roots: number) {
    this.parts = parts;
    for (let i = 0; i < roots; i++) this.#open(undefined, [i / roots, (i + 1) / roots]);
  }

  get arn(): string {
    return this.parts.arn;
  }

  get open(): readonly FakeShard[] {
    return [...this.shards.values()].filter(shard => shard.closedAt === undefined);
  }

  /** What records of a shard share, as the runner would make it. */
  source(shardId: string): Source {
    const { arn, table, region, keyNames, viewType, createdAt } = this.parts;
    return { origin: 'stream', table, region, streamArn: arn, streamCreatedAt: createdAt, viewType, keyNames, partition: shardId };
  }

  shard(shardId: string): FakeShard {
    const shard = this.shards.get(shardId);
    if (shard === undefined) throw new Error(`the fake has no shard ${shardId}`);
    return shard;
  }

  /** Writes to the open shard whose range has the key. */
  write(change: FakeChange): Stored {
    const at = hash(this.#keysOf(change)[this.parts.keyNames[0]]);
    const shard = this.open.find(({ range: [from, to] }) => at >= from && at < to);
    if (shard === undefined) throw new Error('the fake stream has no open shard for this key');
    return this.append(shard.id, change);
  }

  append(shardId: string, change: FakeChange = {}): Stored {
    const shard = this.shard(shardId);
    if (shard.closedAt !== undefined) throw new Error(`shard ${shardId} is closed`);
    const { numbers, now, cutMs, keyNames } = this.parts;
    const { pk: _, ...more } = change;
    const token = numbers.next();
    const keys = this.#keysOf(change);
    const stored: Stored = {
      kind: 'modify',
      key: keyOf(keys, keyNames),
      keys,
      after: { ...keys, n: { N: token } },
      token,
      changedAt: Math.floor(now() / cutMs) * cutMs,
      eventId: `event-${token}`,
      eventName: 'MODIFY',
      eventVersion: '1.1',
      sizeBytes: 100,
      bytes: 200,
      ...more,
    };
    shard.stored.push(stored);
    shard.writtenAt.push(now());
    return stored;
  }

  /** Closes a shard; one child goes on. */
  roll(shardId: string): FakeShard {
    const { range } = this.#close(shardId);
    return this.#open(shardId, range);
  }

  split(shardId: string): readonly [FakeShard, FakeShard] {
    const [from, to] = this.#close(shardId).range;
    const middle = (from + to) / 2;
    return [this.#open(shardId, [from, middle]), this.#open(shardId, [middle, to])];
  }

  /** A child beside an open parent, as a listing may show for a while. */
  openBeside(parentId: string): FakeShard {
    return this.#open(parentId, this.shard(parentId).range);
  }

  disable(): void {
    for (const shard of this.open) this.#close(shard.id);
    this.status = 'DISABLED';
  }

  /** How many of a shard's records are gone by now. */
  trimmed(shard: FakeShard, retentionMs: Ms): number {
    const oldest = this.parts.now() - retentionMs;
    let low = 0;
    let high = shard.writtenAt.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((shard.writtenAt[middle] ?? 0) < oldest) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether the whole shard is gone. */
  isGone(shard: FakeShard, retentionMs: Ms): boolean {
    return this.removed || (shard.closedAt !== undefined && shard.closedAt < this.parts.now() - retentionMs);
  }

  /** As it stood some time ago. */
  listed(shard: FakeShard, lagMs: Ms): ShardListing | undefined {
    const asOf = this.parts.now() - lagMs;
    if (shard.madeAt > asOf) return undefined;
    const closed = shard.endingToken !== undefined && (shard.closedAt ?? 0) <= asOf;
    return {
      shardId: shard.id,
      ...(shard.parent !== undefined && { parentShardId: shard.parent }),
      startingToken: shard.startingToken,
      ...(closed && shard.endingToken !== undefined && { endingToken: shard.endingToken }),
    };
  }

  #open(parent: string | undefined, range: readonly [number, number]): FakeShard {
    const { now, numbers, shardId } = this.parts;
    const id = shardId(now(), this.shards.size);
    const shard: FakeShard = { id, parent, madeAt: now(), startingToken: numbers.peek(), range, stored: [], writtenAt: [] };
    this.shards.set(id, shard);
    return shard;
  }

  #close(shardId: string): FakeShard {
    const shard = this.shard(shardId);
    if (shard.closedAt !== undefined) throw new Error(`shard ${shardId} is closed already`);
    shard.closedAt = this.parts.now();
    shard.endingToken = this.parts.numbers.next();
    return shard;
  }

  #keysOf({ pk, keys }: FakeChange): Stored['keys'] {
    return keys ?? { [this.parts.keyNames[0]]: { S: pk ?? 'k' } };
  }
}

/** First ordinal whose token is at or after this one. */
export function ordinalOf(shard: FakeShard, token: Token): number {
  let low = 0;
  let high = shard.stored.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareTokens(shard.stored[middle]?.token ?? '', token) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Into [0, 1): FNV-1a. */
function hash(value: unknown): number {
  let state = 0x811c9dc5;
  for (const char of JSON.stringify(value)) state = Math.imul(state ^ char.charCodeAt(0), 0x01000193) >>> 0;
  return state / 2 ** 32;
}
