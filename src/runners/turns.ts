/** Spaces calls out: one per interval, in the order in which they were asked for. */
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';

export class Turns {
  readonly #clock: Clock;
  readonly #everyMs: Ms;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, everyMs: Ms) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** Resolves when it is this caller's turn, or throws when the signal aborts. */
  async take(signal: AbortSignal): Promise<void> {
    const at = Math.max(this.#clock.elapsed(), this.#nextAt);
    this.#nextAt = at + this.#everyMs;
    const waitMs = at - this.#clock.elapsed();
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
    signal.throwIfAborted();
  }
}
