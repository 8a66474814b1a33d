/**
 * The thin loop that obeys the lease plan: it scans the rows, takes and lets go, and renews. Renewals and the look at our own clocks run on a timer
 * of their own (the beat), which never waits for a scan, a fetch, a sink or a save. What a shard is worth, and what is done with a lease, is decided
 * by whoever made the keeper.
 */
import type { Ms } from '../model/units.ts';
import type { Cancel, Clock, Random } from '../ports/clock.ts';
import type { LeaseKey, LeaseRow, LeaseStore } from '../ports/lease-store.ts';
import type { Log } from '../ports/log.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import { Balance } from './balance.ts';
import { HeldBack } from './held-back.ts';
import { HeldLease, instant, isOurs, type LeaseTiming, type LostReason, marginMs } from './held-lease.ts';
import type { LeasePlan } from './lease-plan.ts';
import type { Crew } from './membership.ts';
import { passOn } from './pass-on.ts';
import { Renewals } from './renewals.ts';
import { Sightings } from './sightings.ts';
import type { Instant } from './sleep-watch.ts';

/** `own`: it named us already: our take was applied and its answer lost, or we had let our right run out. `handed`: another worker gave it to us. */
export type TakeReason = 'free' | 'own' | 'expired' | 'handed';

export interface LeaseKeeperParts {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly worker: string;
  readonly timing: LeaseTiming;
  readonly crew: Crew;
  /** Looks at the rows of a scan and says which are worth a lease. */
  readonly survey: (rows: readonly LeaseRow[]) => ReadonlySet<LeaseKey>;
  /** A lease is held from now on. */
  readonly taken: (lease: HeldLease, reason: TakeReason) => void;
  /** A lease is not worth holding any more: to be drained and released. Said at every scan until it is. */
  readonly unwanted: (lease: HeldLease) => void;
  /** A lease belongs to another worker: to be drained and given to it. */
  readonly handOver: (lease: HeldLease, target: string) => void;
  /** Ours by right, and a live owner does not hand it over. */
  readonly stuck: (row: LeaseRow) => void;
  /** What was held back has not settled for so long that it hardly ever will. */
  readonly overdue: (key: LeaseKey) => void;
  /** The right is gone: stop at once, write nothing. */
  readonly lost: (lease: HeldLease, reason: LostReason) => void;
}

const TAKES_AT_ONCE = 16;
/**
 * A table of more rows is scanned seldomer in proportion, to three intervals: each scan reads all of it, and most rows have ended. What cannot wait rings
 * or falls due by itself; a dead owner's rows are taken that much later.
 */
const MANY_ROWS = 5_000;
const INTERVALS = 3;

export class LeaseKeeper {
  readonly #parts: LeaseKeeperParts;
  readonly #held = new Map<LeaseKey, HeldLease>();
  readonly #heldBack: HeldBack;
  readonly #sightings = new Sightings();
  readonly #balance: Balance;
  readonly #wake = { now: () => {} };
  #nudged = false;
  readonly #renewals: Renewals;
  #beat: Cancel = () => {};
  #beatAt: Ms;
  /** At the last beat. */
  #hadLeases = false;
  #scannedAt: Ms | undefined;
  #trouble: string | undefined;

  constructor(parts: LeaseKeeperParts) {
    this.#parts = parts;
    this.#balance = new Balance(parts);
    this.#renewals = new Renewals(parts.log);
    this.#heldBack = new HeldBack({ ...parts, free: () => this.nudge() });
    this.#beatAt = parts.clock.elapsed();
  }

  get held(): ReadonlyMap<LeaseKey, HeldLease> {
    return this.#held;
  }

  /** Rows, not held here, whose owners give no sign of life. */
  get expired(): ReadonlySet<LeaseKey> {
    return this.#sightings.expired(this.#parts.clock.elapsed(), this.#parts.timing.durationMs);
  }

  get #leftOver(): ReadonlySet<LeaseKey> {
    const { clock, timing } = this.#parts;
    return this.#sightings.expired(clock.elapsed(), timing.durationMs + timing.renewMs);
  }

  /** Rows that cannot be taken here yet. */
  get unsettled(): ReadonlySet<LeaseKey> {
    return this.#heldBack.keys;
  }

  /** Since the last scan that had an answer; undefined before the first. */
  get scanAgeMs(): Ms | undefined {
    return this.#scannedAt === undefined ? undefined : this.#parts.clock.elapsed() - this.#scannedAt;
  }

  /** What keeps the rows from being read, while it does. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Scans soon, not only at the next interval. */
  nudge(): void {
    this.#nudged = true;
    this.#wake.now();
  }

  /** Something of a run that has lost its lease can still write: its row is not taken again before `settled`. */
  holdBack(key: LeaseKey, settled: Promise<void>): void {
    this.#heldBack.add(key, settled);
  }

  /** From now on every lease that is released goes to whose it is without us. */
  leave(): void {
    this.#balance.leave();
  }

  ring(worker: string): void {
    this.#parts.crew.ring(worker);
  }

  /** When we leave: what was handed to us meanwhile, or is on its way to us, goes on to the next. */
  passOn(signal: AbortSignal): Promise<void> {
    const isOurs = ({ key, owner }: LeaseRow) => owner === this.#parts.worker && !this.#held.has(key) && !this.unsettled.has(key);
    return passOn({ ...this.#parts, balance: this.#balance, isOurs }, signal);
  }

  /** Takes leases until the signal aborts. What is held then stays held and is renewed until it is released, or until `close`. */
  async run(signal: AbortSignal): Promise<void> {
    this.#scheduleBeat();
    while (!signal.aborted) {
      this.#nudged = false;
      const { clock } = this.#parts;
      const from = clock.elapsed();
      const nextMs = await this.#round(signal);
      if (!this.#nudged) await this.#sleep(nextMs, signal);
      // A scan of a large table takes long, and many nudges must not make one follow the other.
      else await clock.sleep(clock.elapsed() - from, signal);
    }
  }

  close(): void {
    this.#beat();
  }

  /** One scan and what follows from it. Answers when the next one is due. */
  async #round(signal: AbortSignal): Promise<Ms> {
    const { clock, store, timing, log } = this.#parts;
    const asked = clock.elapsed();
    try {
      const [rows] = await Promise.all([store.scan(signal), this.#parts.crew.look(signal)]);
      this.#scannedAt = clock.elapsed();
      this.#trouble = undefined;
      this.#sightings.look(rows, asked);
      const runnable = this.#parts.survey(rows);
      await this.#obey(this.#balance.plan(this.#seen(rows, runnable)), signal);
      const now = clock.elapsed();
      const ends = [this.#sightings.nextExpiry(this.#notHeld(runnable), now, timing.durationMs), this.#parts.crew.nextDeath];
      const everyMs = timing.renewMs * Math.min(INTERVALS, Math.max(1, rows.length / MANY_ROWS));
      return Math.min(everyMs, ...ends.flatMap(at => (at === undefined ? [] : [Math.max(0, at - now) + 1])));
    } catch (error) {
      if (signal.aborted) return 0;
      const trouble = error instanceof Error ? error.message : String(error);
      if (trouble !== this.#trouble) log.error({ error: trouble }, 'the lease table cannot be read; trying again');
      this.#trouble = trouble;
      return Math.min(timing.renewMs, 1_000) * (0.5 + this.#parts.random.next());
    }
  }

  #seen(rows: readonly LeaseRow[], runnable: ReadonlySet<LeaseKey>) {
    return { rows, runnable, expired: this.expired, leftOver: this.#leftOver, held: new Set(this.#held.keys()), unsettled: this.unsettled };
  }

  *#notHeld(keys: ReadonlySet<LeaseKey>): Iterable<LeaseKey> {
    for (const key of keys) if (!this.#held.has(key)) yield key;
  }

  async #obey(plan: LeasePlan, signal: AbortSignal): Promise<void> {
    for (const key of plan.release) {
      const lease = this.#held.get(key);
      if (lease !== undefined) this.#parts.unwanted(lease);
    }
    for (const { key, target } of plan.handOver) {
      const lease = this.#held.get(key);
      if (lease === undefined) continue;
      this.#balance.moves.begun(key);
      this.#parts.handOver(lease, target);
    }
    const waiting = [...plan.take];
    const takeNext = async (): Promise<void> => {
      for (let row = waiting.shift(); row !== undefined && !signal.aborted; row = waiting.shift()) await this.#take(row, signal);
    };
    await Promise.all(Array.from({ length: Math.min(TAKES_AT_ONCE, waiting.length) }, takeNext));
  }

  /** By the counter that was seen unmoved. Whoever was quicker has it; an answer that did not come is asked for at the next scan. */
  async #take(row: LeaseRow, signal: AbortSignal): Promise<void> {
    const { store, clock, random, worker, log } = this.#parts;
    const change = { owner: worker, nonce: random.uuid() };
    const sentAt = instant(clock);
    try {
      const answer = await store.write(row, change, signal);
      if (answer.is === 'written') this.#hold(answer.row, row, sentAt);
    } catch (error) {
      if (!(error instanceof ServiceFault)) throw error;
      const standing = await store.read(row.key, signal).catch(() => undefined);
      if (standing !== undefined && isOurs(standing, row, change)) this.#hold(standing, row, sentAt);
      else log.debug({ leaseKey: row.key, error: error.message }, 'a lease could not be taken; trying again at the next scan');
    }
  }

  #hold(row: LeaseRow, before: LeaseRow, sentAt: Instant): void {
    const lease = new HeldLease(row, sentAt, this.#parts);
    if (!lease.check()) return;
    this.#held.set(row.key, lease);
    lease.onLost = reason => {
      this.#forget(row.key);
      this.#parts.lost(lease, reason);
      this.nudge();
    };
    lease.heir = () => this.#balance.heir(row.key);
    lease.onReleased = to => {
      this.#forget(row.key);
      if (to !== null) this.#parts.crew.ring(to);
    };
    const reason = this.#reason(before);
    if (reason === 'handed') this.#balance.arrived(before);
    this.#parts.taken(lease, reason);
  }

  #forget(key: LeaseKey): void {
    this.#held.delete(key);
    this.#balance.moves.over(key);
  }

  #reason({ owner, handoffFrom }: LeaseRow): TakeReason {
    if (owner === undefined) return 'free';
    if (owner !== this.#parts.worker) return 'expired';
    return handoffFrom === undefined ? 'own' : 'handed';
  }

  #scheduleBeat(): void {
    const { clock, timing } = this.#parts;
    const beatMs = Math.max(10, Math.min(100, marginMs(timing.durationMs) / 5));
    this.#beat = clock.after(beatMs, () => {
      this.#scheduleBeat();
      this.#onBeat(beatMs);
    });
  }

  /** Looks at the clocks for every lease, and renews what is due. */
  #onBeat(beatMs: Ms): void {
    const { clock, log, timing } = this.#parts;
    const lateMs = clock.elapsed() - this.#beatAt - beatMs;
    this.#beatAt = clock.elapsed();
    // Nothing is at stake while nothing is held: a process that starts is busy loading itself. What was held may be lost by now.
    if ((this.#hadLeases || this.#held.size > 0) && lateMs > marginMs(timing.durationMs))
      log.warn({ lateMs: Math.round(lateMs) }, 'the event loop was blocked; leases are looked at again');
    this.#hadLeases = this.#held.size > 0;
    this.#renewals.begin([...this.#held.values()].filter(lease => lease.check() && lease.isDue));
  }

  /** Until the time is over, the signal aborts, or somebody nudges. */
  async #sleep(ms: Ms, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    await new Promise<void>(resolve => {
      const end = () => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = clock.after(ms, end);
      signal.addEventListener('abort', end);
      this.#wake.now = end;
      if (signal.aborted) end();
    });
    this.#wake.now = () => {};
  }
}
