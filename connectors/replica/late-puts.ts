/**
 * Whether a put may still be on its way that nobody waits for any more. A put that was given up without an answer can land up to 5 minutes after it was
 * signed, and so can one of the process that had the shard before us. A removal within a quarter of an hour of such a thing is done once more, later.
 * What is kept is bounded; what does not fit counts for every key, so forgetting only costs a second removal.
 */
import type { EpochMs, Ms, PartitionId } from '../../src/model/units.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { AGAIN_MS } from '../../src/replication/tombstone.ts';

const KEYS = 10_000;
const PARTITIONS = 10_000;

export class LatePuts {
  readonly #clock: Clock;
  /** Key -> when a put of it was given up, oldest first. */
  readonly #givenUp = new Map<string, Ms>();
  #anyUntil: Ms = Number.NEGATIVE_INFINITY;
  /** Partition -> when this process first wrote a change of it. */
  readonly #since = new Map<PartitionId, Ms>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  gaveUp(place: string): void {
    const now = this.#clock.elapsed();
    this.#forget(now);
    if (this.#givenUp.size >= KEYS) {
      this.#givenUp.clear();
      this.#anyUntil = now + AGAIN_MS;
      return;
    }
    this.#givenUp.delete(place);
    this.#givenUp.set(place, now);
  }

  /** Notes that a partition is being written; true when that is new to this process. */
  began(partition: PartitionId): boolean {
    if (this.#since.has(partition)) return false;
    if (this.#since.size >= PARTITIONS) this.#since.clear();
    this.#since.set(partition, this.#clock.elapsed());
    return true;
  }

  /** `replayedBefore`: as the batch says; about when the shard was taken over, 0 if it had no owner before. */
  mayCome(place: string, partition: PartitionId, replayedBefore: EpochMs): boolean {
    const now = this.#clock.elapsed();
    const recent = (at: Ms | undefined) => at !== undefined && now - at < AGAIN_MS;
    if (now < this.#anyUntil || recent(this.#givenUp.get(place)) || recent(this.#since.get(partition))) return true;
    return replayedBefore > this.#clock.now() - AGAIN_MS;
  }

  #forget(now: Ms): void {
    for (const [place, at] of this.#givenUp) {
      if (now - at < AGAIN_MS) return;
      this.#givenUp.delete(place);
    }
  }
}
