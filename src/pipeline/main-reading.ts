/**
 * The main reading of a partition: one pass for all the feeds that keep up. It opens at the highest place of the sinks that are open, reads while
 * there is room, cuts off who holds it up, and ends when its last feed has left; then the feed behind with the highest place takes over.
 */
import type { Page } from '../model/page.ts';
import type { Position } from '../model/position.ts';
import type { Bell } from './bell.ts';
import type { Budget, Holder } from './budget.ts';
import type { Feed } from './feed.ts';
import { hasRecovered, leaders, mayRejoin, toDetach } from './pace.ts';
import { Permit } from './permit.ts';
import { Reading } from './reading.ts';
import type { RunParts } from './run-parts.ts';

/** What a reading holds at most before it has no room; one page may overshoot. */
export const READING_BYTES = 1024 * 1024;

export interface Lane {
  readonly parts: RunParts;
  readonly feeds: readonly Feed[];
  /** Aborts when nothing is to be read any more; the bells are rung then. */
  readonly signal: AbortSignal;
  /** A page came, be it empty. */
  readonly answered: (page: Page) => void;
}

export class MainReading implements Holder {
  readonly bell: Bell;
  readonly #lane: Lane;
  readonly #budget: Budget;
  #reading: Reading | undefined;
  readonly #permit: Permit;
  readonly #served: () => void;
  #throttled = false;

  /** `served`: it is throttled no more. */
  constructor(lane: Lane, bell: Bell, served: () => void) {
    this.#lane = lane;
    this.#served = served;
    this.#budget = lane.parts.budget;
    this.bell = bell;
    this.#permit = new Permit(this.#budget, this, bell);
  }

  get reading(): Reading | undefined {
    return this.#reading;
  }

  /** A read was refused because there are too many, and none has been answered since. */
  get isThrottled(): boolean {
    return this.#throttled;
  }

  heldBytes(): number {
    return this.#reading?.bytes ?? 0;
  }

  letGoPassed(): void {
    this.#letGo(0);
  }

  detachOldest(): boolean {
    const reading = this.#reading;
    if (reading === undefined) return false;
    const slow = toDetach(this.#brisk(), reading);
    for (const feed of slow) feed.detach(reading, this.#lane.parts.clock.elapsed());
    if (slow.length > 0) this.bell.ring();
    return slow.length > 0;
  }

  async run(): Promise<void> {
    while (!this.#lane.signal.aborted) {
      const lead = this.#lead();
      if (lead.length === 0) await this.bell.wait();
      else await this.#pass(lead);
    }
  }

  /** Feeds behind that have caught up come back. To be called on a turn of the clock of its own. */
  rejoin(): void {
    const reading = this.#reading;
    if (reading === undefined) return;
    const elapsed = this.#lane.parts.clock.elapsed();
    for (const feed of this.#lane.feeds) {
      if (feed.state === 'behind' && mayRejoin(feed, reading, elapsed)) feed.join(reading);
    }
    this.pump();
  }

  /** Lets the feeds take what they have room for. */
  pump(): void {
    const reading = this.#reading;
    if (reading === undefined) return;
    for (const feed of this.#brisk()) {
      feed.pump(reading);
      if (reading.ended && feed.cursor >= reading.head && !feed.run.isEnding) feed.end(reading);
    }
    this.bell.ring();
  }

  #brisk(): Feed[] {
    return this.#lane.feeds.filter(feed => feed.state === 'brisk');
  }

  #lead(): readonly Feed[] {
    const { clock } = this.#lane.parts;
    return leaders(this.#lane.feeds.filter(feed => feed.state === 'behind' && !feed.run.isEnding && hasRecovered(feed, clock.elapsed())));
  }

  async #pass(lead: readonly Feed[]): Promise<void> {
    const [first] = lead;
    if (first === undefined) return;
    const reading = new Reading(first.run.place, this.#budget);
    this.#reading = reading;
    this.#budget.join(this);
    for (const feed of lead) feed.join(reading);
    try {
      await this.#read(reading, first.run.place);
      while (!this.#lane.signal.aborted && this.#brisk().length > 0) await this.bell.wait();
    } finally {
      this.#reading = undefined;
      reading.close();
      this.#budget.leave(this);
      this.#permit.giveBack();
      this.#setThrottled(false);
    }
  }

  async #read(reading: Reading, from: Position): Promise<void> {
    const { parts, signal } = this.#lane;
    for await (const page of parts.reader.pages(from, signal, () => this.#room(reading))) {
      if (this.#lane.signal.aborted) break;
      if (!page.unanswered) reading.append(page);
      this.#permit.giveBack();
      if (page.throttled || !page.unanswered) this.#setThrottled(page.throttled === true);
      if (page.unanswered) continue;
      this.#lane.answered(page);
      for (const feed of this.#lane.feeds) feed.lookAt(reading);
      this.pump();
      if (page.end) break;
    }
  }

  #setThrottled(throttled: boolean): void {
    if (this.#throttled === throttled) return;
    this.#throttled = throttled;
    if (!throttled) this.#served();
  }

  /** Waits until a page may be read; false when nobody is left to read for. */
  async #room(reading: Reading): Promise<boolean> {
    for (;;) {
      if (this.#lane.signal.aborted || this.#brisk().length === 0) {
        this.#permit.giveBack();
        return false;
      }
      if (reading.bytes >= READING_BYTES) this.#letGo(READING_BYTES - 1);
      if (reading.bytes < READING_BYTES && this.#permit.ask()) return true;
      if (this.detachOldest()) continue;
      this.#setThrottled(false);
      await this.bell.wait();
    }
  }

  /** Lets go of what every feed has passed, until at most `bytes` are held. */
  #letGo(bytes: number): void {
    const reading = this.#reading;
    if (reading === undefined) return;
    const passed = Math.min(reading.head, ...this.#brisk().map(feed => feed.cursor));
    reading.letGo(passed, bytes);
  }
}
