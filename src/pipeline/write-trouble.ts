/**
 * Tells the log that a target does not take writes, and that it takes them again: a line when it begins, one a minute while it lasts, one at its end.
 * Every write that fails would be hundreds of lines; none would leave an operator without a reason until the sink is stalled.
 */
import { SinkFault, type Written } from '../connector.ts';
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';

const SAY_AGAIN_MS: Ms = 60_000;

export class WriteTrouble {
  readonly #log: Log;
  readonly #clock: Clock;
  #since: Ms | undefined;
  #reason: string | undefined;
  #saidAt: Ms | undefined;
  #failures = 0;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Why writes fail, while they do. */
  get reason(): string | null {
    return this.#since === undefined || this.#reason === undefined ? null : `writes fail and are tried again: ${this.#reason}`;
  }

  /** Refusals and halts are not its business: they are told by whoever obeys them. */
  hear(outcome: SinkFault | Written): void {
    if (outcome instanceof SinkFault) {
      if (outcome.disposition === 'retry') this.#failed(outcome.message);
      return;
    }
    const again = outcome.failed.find(({ disposition }) => disposition === 'retry');
    if (again !== undefined) this.#failed(again.reason);
    else if (outcome.failed.length === 0) this.#wrote();
  }

  #failed(reason: string): void {
    const now = this.#clock.elapsed();
    this.#since ??= now;
    this.#reason = reason;
    this.#failures += 1;
    this.#log.debug({}, `a write failed: ${reason}`);
    if (this.#saidAt !== undefined && now - this.#saidAt < SAY_AGAIN_MS) return;
    this.#saidAt = now;
    this.#log.warn({ failures: this.#failures }, `writes fail and are tried again: ${reason}`);
    this.#failures = 0;
  }

  #wrote(): void {
    if (this.#since === undefined) return;
    const forMs = Math.round(this.#clock.elapsed() - this.#since);
    this.#since = undefined;
    this.#failures = 0;
    // A target that fails now and then would say this all the time.
    if (forMs >= 1_000) this.#log.info({ forMs }, 'writes succeed again');
  }
}
