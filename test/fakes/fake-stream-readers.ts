/**
 * The service's limit on readers of a shard. A reader is what follows one chain of iterators; one that has not read for a moment has left. Readers
 * from outside, as a Lambda trigger, can be put beside ours.
 */
import type { Ms } from '../../src/model/units.ts';
import type { Clock } from '../../src/ports/clock.ts';

/** Longer than the default wait between two reads. */
const PRESENT_MS: Ms = 400;

export class ReaderSlots {
  readonly #clock: Clock;
  readonly #readers = new Map<string, Map<number, Ms>>();
  /** By shard. */
  readonly outside = new Map<string, number>();
  /** The most that were ever let in beside each other, of one shard, ours only. */
  most = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(shardId: string, chain: number, limit: number): boolean {
    const elapsed = this.#clock.elapsed();
    const readers = this.#readers.get(shardId) ?? new Map<number, Ms>();
    this.#readers.set(shardId, readers);
    for (const [reader, at] of readers) if (elapsed - at > PRESENT_MS) readers.delete(reader);
    const isNew = !readers.has(chain);
    if (isNew && readers.size + (this.outside.get(shardId) ?? 0) >= limit) return false;
    readers.set(chain, elapsed);
    this.most = Math.max(this.most, readers.size);
    return true;
  }
}
