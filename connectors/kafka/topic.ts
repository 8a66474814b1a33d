/**
 * What is known of one topic: how many partitions it has, who leads them, how large a message may be, how old. The partition count is what groups
 * are made of; it is read when the sink opens and looked at with every request, so it may grow between the grouping of a record and its writing:
 * then `write` sends what it was given partition by partition, and the next records are grouped anew.
 */
import type { ChangeRecord } from '../../src/model/change-record.ts';
import type { EpochMs, Ms } from '../../src/model/units.ts';
import { partitionOf } from './murmur2.ts';

export interface PartitionState {
  readonly partitionId: number;
  readonly leader: number;
}

/** Kafka's own default of `max.message.bytes`. */
export const DEFAULT_MAX_BYTES = 1_048_588;

/** A time that the broker refuses is old, or wrong by more than any clock. */
const LEAST_STALE_AGE_MS: Ms = 60_000;

export class Topic {
  readonly name: string;
  maxBytes = DEFAULT_MAX_BYTES;
  /** Whether the limit was read from the broker; else it is the default. */
  maxBytesKnown = false;
  /** Something did not fit: read it again before the next write. */
  isDoubtful = true;
  #seen: readonly PartitionState[] = [];
  #leaders: number[] = [];
  #groups: string[] = [];
  #staleAgeMs: Ms = Number.POSITIVE_INFINITY;

  constructor(name: string) {
    this.name = name;
  }

  get partitions(): number {
    return this.#leaders.length;
  }

  partitionOf(key: Uint8Array): number {
    return partitionOf(key, this.partitions);
  }

  groupOf(key: Uint8Array): string {
    return this.partitions === 0 ? this.name : (this.#groups[this.partitionOf(key)] ?? this.name);
  }

  /** Broker id; -1 while there is none. */
  leaderOf(partition: number): number {
    return this.#leaders[partition] ?? -1;
  }

  /** Takes what a client knows. A client may have known it for minutes: only the brokers themselves (`isFresh`) can say that there are fewer. */
  see(partitions: readonly PartitionState[], isFresh: boolean): void {
    if (partitions === this.#seen || (!isFresh && partitions.length < this.partitions)) return;
    this.#seen = partitions;
    const leaders = new Array<number>(partitions.length).fill(-1);
    for (const { partitionId, leader } of partitions) leaders[partitionId] = leader;
    this.#leaders = leaders;
    this.#groups = leaders.map((_, partition) => `${this.name}-${partition}`);
  }

  /** The time that a message carries: of the change, unless the broker has refused one as old. Only the live stream has times that mean anything. */
  timeOf(record: ChangeRecord, now: EpochMs): EpochMs {
    return record.source.origin === 'stream' && now - record.changedAt < this.#staleAgeMs ? record.changedAt : now;
  }

  /** The broker has refused a request whose oldest message is of this time. */
  refuse(oldest: EpochMs, now: EpochMs): void {
    const ageMs = now - oldest;
    if (ageMs >= LEAST_STALE_AGE_MS) this.#staleAgeMs = Math.min(this.#staleAgeMs, ageMs);
  }
}
