/** Rows on the move for balance: not too many at a time, and none that came a moment ago, so that a mistaken view cannot make rows wander. */
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { LeaseKey } from '../ports/lease-store.ts';

/** A row stays at least so long where it was handed to, but for a death or a shutdown. */
export const STAYS_MS: Ms = 30_000;

export class Moves {
  readonly #clock: Clock;
  readonly #intervalMs: Ms;
  readonly #going = new Set<LeaseKey>();
  readonly #arrivedAt = new Map<LeaseKey, Ms>();
  #begunAt: readonly Ms[] = [];

  constructor(clock: Clock, intervalMs: Ms) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** On their way. */
  get going(): ReadonlySet<LeaseKey> {
    return this.#going;
  }

  /** Not long here. */
  get pinned(): ReadonlySet<LeaseKey> {
    const since = this.#clock.elapsed() - STAYS_MS;
    for (const [key, at] of this.#arrivedAt) if (at <= since) this.#arrivedAt.delete(key);
    return new Set(this.#arrivedAt.keys());
  }

  /** Of so many in an interval. */
  left(limit: number): number {
    const since = this.#clock.elapsed() - this.#intervalMs;
    this.#begunAt = this.#begunAt.filter(at => at > since);
    return limit - this.#begunAt.length;
  }

  begun(key: LeaseKey): void {
    this.#going.add(key);
    this.#begunAt = [...this.#begunAt, this.#clock.elapsed()];
  }

  arrived(key: LeaseKey): void {
    this.#arrivedAt.set(key, this.#clock.elapsed());
  }

  /** It is not held here any more. */
  over(key: LeaseKey): void {
    this.#going.delete(key);
    this.#arrivedAt.delete(key);
  }
}
