/**
 * How long the machine has slept, as far as its two clocks tell: its monotonic clock stands still then, its wall clock is set when it wakes. A wall clock
 * that is set back tells nothing by itself, but must not hide a sleep that follows: so each look is compared with the look before it, not with the first.
 * A clock that is set forward looks like a sleep, and is taken for one: a lease that is held too short does no harm.
 */
import type { EpochMs, Ms } from '../model/units.ts';

export interface Instant {
  readonly elapsed: Ms;
  readonly wall: EpochMs;
}

/** Less than this is how two clocks go beside each other, read one after the other. */
const JUMP_MS: Ms = 50;

export class SleepWatch {
  #aheadMs: Ms;
  #sleptMs: Ms = 0;

  constructor({ elapsed, wall }: Instant) {
    this.#aheadMs = wall - elapsed;
  }

  /** Since the first look, in all. */
  sleptBy({ elapsed, wall }: Instant): Ms {
    const aheadMs = wall - elapsed;
    const jumpMs = aheadMs - this.#aheadMs;
    if (Math.abs(jumpMs) > JUMP_MS) this.#aheadMs = aheadMs;
    if (jumpMs > JUMP_MS) this.#sleptMs += jumpMs;
    return this.#sleptMs;
  }
}
