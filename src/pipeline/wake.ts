/** One timer that is set to the earliest time asked for: a sink at a partition needs no more, however many records wait. */
import type { Ms } from '../model/units.ts';
import type { Cancel, Clock } from '../ports/clock.ts';

export class Wake {
  readonly #clock: Clock;
  readonly #f: () => void;
  #cancel: Cancel = () => {};
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, f: () => void) {
    this.#clock = clock;
    this.#f = f;
  }

  /** Calls `f` at that monotonic time, at least 1 ms from now, unless it is called earlier anyway. */
  at(dueAt: Ms | undefined): void {
    if (dueAt === undefined || this.#dueAt <= dueAt) return;
    this.#cancel();
    this.#dueAt = dueAt;
    this.#cancel = this.#clock.after(Math.max(1, dueAt - this.#clock.elapsed()), () => {
      this.#dueAt = Number.POSITIVE_INFINITY;
      this.#f();
    });
  }

  stop(): void {
    this.#cancel();
  }
}
