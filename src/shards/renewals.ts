/**
 * Renews many leases a few at a time, the longest not renewed first, so that a worker of thousands opens no thousands of connections. When one is done
 * the next begins at once: begun only at each beat they came to a thousand a second at most, and who holds more lost them.
 */
import type { Log } from '../ports/log.ts';
import type { HeldLease } from './held-lease.ts';

const AT_ONCE = 100;

export class Renewals {
  readonly #log: Log;
  /** The next one last. */
  #due: HeldLease[] = [];
  #underWay = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  begin(due: Iterable<HeldLease>): void {
    this.#due = [...due]
      .map(lease => ({ lease, ageMs: lease.ageMs }))
      .sort((a, b) => a.ageMs - b.ageMs)
      .map(({ lease }) => lease);
    this.#go();
  }

  #go(): void {
    while (this.#underWay < AT_ONCE) {
      const lease = this.#due.pop();
      if (lease === undefined) return;
      if (!lease.isDue) continue;
      this.#underWay += 1;
      void this.#renew(lease);
    }
  }

  async #renew(lease: HeldLease): Promise<void> {
    try {
      await lease.renew();
    } catch (error) {
      this.#log.error({ leaseKey: lease.key, error: String(error) }, 'a lease could not be renewed');
    }
    this.#underWay -= 1;
    this.#go();
  }
}
