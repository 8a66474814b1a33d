/** What was really written: every change of every stream of the table, in the order of its making, whatever was read of it later. */
import type { Key } from '../../../src/model/key.ts';
import type { Token } from '../../../src/model/position.ts';
import type { EpochMs, Ms } from '../../../src/model/units.ts';
import type { FakeShard, FakeStream } from '../../fakes/fake-stream.ts';
import type { FakeStreams } from '../../fakes/fake-streams.ts';
import type { VirtualClock } from '../../fakes/virtual-clock.ts';

export interface Change {
  /** Of all changes of the table: a key's order. */
  readonly n: number;
  readonly stream: FakeStream;
  readonly shard: FakeShard;
  /** In its shard. */
  readonly ordinal: number;
  readonly token: Token;
  readonly key: Key;
  readonly bytes: number;
  readonly writtenAt: EpochMs;
  readonly elapsed: Ms;
}

export class Truth {
  readonly changes: Change[] = [];
  readonly #byToken = new Map<Token, Change>();
  readonly #byShard = new Map<string, Change[]>();
  readonly #lastOfKey = new Map<Key, Change>();
  readonly #streams: FakeStreams;
  readonly #clock: VirtualClock;
  /** Some records were trimmed before everybody had read them, or a stream was replaced: only then may there be gaps. */
  mayHaveGaps = false;

  constructor(streams: FakeStreams, clock: VirtualClock) {
    this.#streams = streams;
    this.#clock = clock;
  }

  write(stream: FakeStream, pk: string, bytes: number): Change {
    const stored = stream.write({ pk, bytes, sizeBytes: Math.ceil(bytes / 1.2) });
    const shard = stream.open.find(open => open.stored.at(-1) === stored);
    if (shard === undefined) throw new Error('a record went to no shard');
    const change: Change = {
      n: this.changes.length,
      stream,
      shard,
      ordinal: shard.stored.length - 1,
      token: stored.token,
      key: stored.key,
      bytes,
      writtenAt: this.#streams.now(),
      elapsed: this.#clock.elapsed(),
    };
    this.changes.push(change);
    this.#byToken.set(change.token, change);
    this.#lastOfKey.set(change.key, change);
    this.of(shard).push(change);
    return change;
  }

  /** Of one shard, in order. */
  of({ id }: Pick<FakeShard, 'id'>): Change[] {
    const changes = this.#byShard.get(id) ?? [];
    this.#byShard.set(id, changes);
    return changes;
  }

  at(token: Token): Change {
    const change = this.#byToken.get(token);
    if (change === undefined) throw new Error(`nobody wrote ${token}`);
    return change;
  }

  get lastOfEachKey(): Iterable<Change> {
    return this.#lastOfKey.values();
  }
}
