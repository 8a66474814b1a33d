/** Leases that were lost here while something of their run could still write: they are not taken again before that has settled. */
import type { Cancel, Clock } from '../ports/clock.ts';
import type { LeaseKey } from '../ports/lease-store.ts';
import type { LeaseTiming } from './held-lease.ts';

export interface HeldBackParts {
  readonly clock: Clock;
  readonly timing: LeaseTiming;
  /** It has settled. */
  readonly free: () => void;
  /** It has not for so long that it hardly ever will. */
  readonly overdue: (key: LeaseKey) => void;
}

const OVERDUE_DURATIONS = 2;

export class HeldBack {
  readonly #parts: HeldBackParts;
  readonly #late = new Map<LeaseKey, Cancel>();

  constructor(parts: HeldBackParts) {
    this.#parts = parts;
  }

  get keys(): ReadonlySet<LeaseKey> {
    return new Set(this.#late.keys());
  }

  add(key: LeaseKey, settled: Promise<void>): void {
    const { clock, timing, overdue } = this.#parts;
    const late = clock.after(OVERDUE_DURATIONS * timing.durationMs, () => overdue(key));
    this.#late.set(key, late);
    const free = () => {
      late();
      this.#late.delete(key);
      this.#parts.free();
    };
    void settled.then(free, free);
  }
}
