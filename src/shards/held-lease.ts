/**
 * One lease that is held here: the right to read a shard and to save positions in its row. All writes of the row go through one line (renewals and
 * saves share the counter); each is conditional on owner and counter.
 *
 * The right is believed only for a lease's duration less a margin, counted from *before* the last write that held was sent, by whichever of the two
 * clocks has gone further: a monotonic clock may stand still while a machine is suspended. Another worker can take the row only a whole duration
 * after it saw the counter move, so the belief ends before the right does. Then the lease is fenced: no write, no save, ever again.
 *
 * An answer that did not come says nothing. The same bytes are sent again until one answer does; a refusal that shows our own nonce and the counter
 * after ours is our own earlier write, applied.
 */
import type { Ms } from '../model/units.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { LeaseChange, LeaseKey, LeaseRow, LeaseStore } from '../ports/lease-store.ts';
import type { Log } from '../ports/log.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import { type Instant, SleepWatch } from './sleep-watch.ts';

export interface LeaseTiming {
  readonly durationMs: Ms;
  readonly renewMs: Ms;
}

export interface HeldLeaseParts {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly timing: LeaseTiming;
}

/** When a write was sent, and how long the machine had slept by then. */
interface Sent extends Instant {
  readonly sleptMs: Ms;
}

export type LostReason = 'refused' | 'expired' | 'row-gone';

const RETRY_MS: Ms = 50;
const RETRY_CAP_MS: Ms = 500;

export class HeldLease {
  readonly key: LeaseKey;
  readonly #parts: HeldLeaseParts;
  readonly #gaveUp = new AbortController();
  #row: LeaseRow;
  readonly #sleep: SleepWatch;
  /** The last write that held. */
  #sent: Sent;
  #line: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #state: 'held' | 'released' | 'lost' = 'held';
  #renews = true;
  /** Called once, at once, when the right is lost. */
  onLost: (reason: LostReason) => void = () => {};
  /** Called once, when the row was given away: to a worker, or to nobody. */
  onReleased: (to: string | null) => void = () => {};
  /** Who shall have the row when it is released and nobody is named. */
  heir: () => string | undefined = () => undefined;

  /** `sentAt`: before the write was sent that took the row. */
  constructor(row: LeaseRow, sentAt: Instant, parts: HeldLeaseParts) {
    this.key = row.key;
    this.#row = row;
    this.#sent = { ...sentAt, sleptMs: 0 };
    this.#sleep = new SleepWatch(sentAt);
    this.#parts = parts;
  }

  /** As of the last write that held. */
  get row(): LeaseRow {
    return this.#row;
  }

  get state(): 'held' | 'released' | 'lost' {
    return this.#state;
  }

  /** Whether the right is still believed. Looks at the clocks, and fences when they say so. */
  check(): boolean {
    if (this.#state === 'held' && this.ageMs >= this.#validMs) this.#lose('expired');
    return this.#state === 'held';
  }

  /** Since before the last write that held was sent. */
  get ageMs(): Ms {
    const now = this.#now();
    const sent = this.#sent;
    return Math.max(now.elapsed - sent.elapsed + now.sleptMs - sent.sleptMs, now.wall - sent.wall);
  }

  get isDue(): boolean {
    return this.#renews && this.#state === 'held' && this.#waiting === 0 && this.ageMs >= this.#parts.timing.renewMs;
  }

  renew(): Promise<'saved' | 'lost'> {
    return this.#write(() => ({}));
  }

  /** `change` is asked when the write's turn has come, with the row as it is then. */
  save(change: (row: LeaseRow) => LeaseChange): Promise<'saved' | 'lost'> {
    return this.#write(change);
  }

  /** From now on it ends by release or by time. */
  stopRenewing(): void {
    this.#renews = false;
  }

  /** Gives the row away, to nobody or to a worker (by default to its heir), with what `change` adds. Nothing may be written after it. */
  async release(
    to: string | null = this.heir() ?? null,
    change: (row: LeaseRow) => Omit<LeaseChange, 'owner' | 'handoffFrom'> = () => ({}),
  ): Promise<'released' | 'lost'> {
    const answer = await this.#write(row => ({
      ...change(row),
      owner: to,
      ...(to !== null && row.owner !== undefined && { handoffFrom: row.owner }),
    }));
    if (answer === 'lost') return 'lost';
    this.#state = 'released';
    this.#gaveUp.abort();
    this.onReleased(to);
    return 'released';
  }

  #write(change: (row: LeaseRow) => LeaseChange): Promise<'saved' | 'lost'> {
    this.#waiting += 1;
    const turn = this.#line.then(() => this.#untilAnswered(change));
    const done = () => {
      this.#waiting -= 1;
    };
    this.#line = turn.then(done, done);
    return turn;
  }

  async #untilAnswered(change: (row: LeaseRow) => LeaseChange): Promise<'saved' | 'lost'> {
    if (!this.check()) return 'lost';
    const wanted = change(this.#row);
    const { clock, random, store } = this.#parts;
    const first = this.#now();
    for (let tries = 1; this.check(); tries++) {
      const sent = this.#now();
      try {
        const answer = await store.write(this.#row, wanted, this.#gaveUp.signal);
        if (this.#state !== 'held') return 'lost';
        if (answer.is === 'written') return this.#adopt(answer.row, sent);
        // Which of our tries was applied is not known: the first is the careful guess.
        if (answer.row !== undefined && isOurs(answer.row, this.#row, wanted)) return this.#adopt(answer.row, first);
        this.#lose(answer.row === undefined ? 'row-gone' : 'refused');
      } catch (error) {
        if (!(error instanceof ServiceFault)) throw error;
        if (this.#state !== 'held') return 'lost';
        this.#parts.log.debug({ leaseKey: this.key, error: error.message }, 'a lease write had no answer and is tried again');
        const backoffMs = Math.min(RETRY_CAP_MS, RETRY_MS * 2 ** (tries - 1)) * (0.5 + random.next() / 2);
        await clock.sleep(backoffMs, this.#gaveUp.signal);
      }
    }
    return 'lost';
  }

  #now(): Sent {
    const at = instant(this.#parts.clock);
    return { ...at, sleptMs: this.#sleep.sleptBy(at) };
  }

  #adopt(row: LeaseRow, sent: Sent): 'saved' {
    this.#row = row;
    this.#sent = sent;
    return 'saved';
  }

  get #validMs(): Ms {
    const { durationMs } = this.#parts.timing;
    return durationMs - marginMs(durationMs);
  }

  #lose(reason: LostReason): void {
    this.#state = 'lost';
    this.#gaveUp.abort();
    this.onLost(reason);
  }
}

export function instant(clock: Clock): Instant {
  return { elapsed: clock.elapsed(), wall: clock.now() };
}

/** For clocks that do not go alike, and for a timer that comes late. */
export function marginMs(durationMs: Ms): Ms {
  return Math.min(500, durationMs / 10);
}

/** The row is as our write would have left it: only this holder writes rows with its nonce, one at a time. */
export function isOurs(row: LeaseRow, before: LeaseRow, change: LeaseChange): boolean {
  const owner = change.owner === undefined ? before.owner : (change.owner ?? undefined);
  return row.counter === before.counter + 1 && row.owner === owner && row.nonce === (change.nonce ?? before.nonce);
}
