/**
 * The second reading of a partition: sinks that are behind share it in turns, each at its own place. It is open while some feed behind has room; one
 * read is in flight at a time; its page is given to every feed behind that has room and whose place lies in it. While none has room, it looks out for
 * those that take nothing.
 */
import type { Page } from '../model/page.ts';
import { comparePositions, type Position } from '../model/position.ts';
import { Bell } from './bell.ts';
import type { Holder } from './budget.ts';
import { type Feed, slotsOf } from './feed.ts';
import { Lookout, type MainSeen } from './lookout.ts';
import type { Lane } from './main-reading.ts';
import { nextServed } from './pace.ts';
import { Permit } from './permit.ts';

/** Pages that one feed is served in a turn, before the next has its turn. */
const TURN_PAGES = 8;

export class SecondReading implements Holder {
  readonly #bell = new Bell();
  readonly #lane: Lane;
  readonly #main: MainSeen;
  readonly #caughtUp: () => void;
  #turn = 0;
  readonly #permit: Permit;
  readonly #lookout: Lookout;

  constructor(lane: Lane, main: MainSeen, caughtUp: () => void) {
    this.#lane = lane;
    this.#main = main;
    this.#caughtUp = caughtUp;
    this.#permit = new Permit(lane.parts.budget, this, this.#bell);
    const isServing = () => nextServed(this.#behind()) !== undefined;
    this.#lookout = new Lookout({ lane, permit: this.#permit, main, isServing });
  }

  ring(): void {
    this.#bell.ring();
    this.#lookout.lookAgain();
  }

  // It keeps nothing itself: what it reads belongs to the feeds' rests.
  heldBytes(): number {
    return 0;
  }
  letGoPassed(): void {}
  detachOldest(): boolean {
    return false;
  }

  async run(): Promise<void> {
    while (!this.#lane.signal.aborted) {
      const feed = nextServed(this.#behind());
      const blind = feed ?? this.#lookout.next();
      if (feed !== undefined) await this.#serve(feed);
      else if (blind !== undefined) await this.#lookout.run(blind);
      else await this.#bell.wait();
    }
  }

  #behind(): Feed[] {
    return this.#lane.feeds.filter(feed => feed.state === 'behind' && !feed.run.isEnding);
  }

  async #serve(feed: Feed): Promise<void> {
    this.#turn += 1;
    feed.servedTurn = this.#turn;
    try {
      await this.#read(feed);
    } finally {
      this.#permit.giveBack();
    }
  }

  async #read(feed: Feed): Promise<void> {
    let from = feed.run.place;
    let pages = 0;
    for await (const page of this.#lane.parts.reader.pages(from, this.#lane.signal, () => this.#room(feed))) {
      if (this.#lane.signal.aborted) break;
      if (page.unanswered) {
        this.#permit.giveBack();
        continue;
      }
      const slots = slotsOf(page.records);
      this.#distribute(page, { slots, from });
      this.#permit.giveBack();
      this.#lane.answered(page);
      this.#caughtUp();
      const last = page.records.at(-1);
      if (last !== undefined) from = { at: 'after', token: last.token, changedAt: last.changedAt };
      // Only pages that move a place count: a turn that ended in an empty stretch would begin it again for ever.
      if (last !== undefined || page.readTo !== undefined) pages += 1;
      // Those at the same place are given the same pages: giving way to them at a shard's end, each would begin anew and none would see the end.
      // Nor to those for which there was nothing: turn after turn would begin anew, without the wait that a reader keeps between two pages.
      const others = this.#behind().some(other => {
        return this.#isServed(other) && !other.foundNothing && comparePositions(other.run.place, from) !== 0;
      });
      if (page.end || pages >= TURN_PAGES || (others && page.atTip) || !this.#isServed(feed)) break;
    }
  }

  #isServed(feed: Feed): boolean {
    return feed.state === 'behind' && !feed.hasRest && feed.run.hasRoom;
  }

  #distribute(page: Page, read: { slots: ReturnType<typeof slotsOf>; from: Position }): void {
    const last = page.records.at(-1);
    const to: Position = page.end ? { at: 'end' } : last ? { at: 'after', token: last.token, changedAt: last.changedAt } : read.from;
    for (const feed of this.#behind()) {
      const { place } = feed.run;
      const liesIn = comparePositions(place, read.from) >= 0 && comparePositions(place, to) <= 0;
      if (!liesIn || !this.#isServed(feed)) continue;
      // A feed elsewhere finds out from its own place what of a page lies before its tip, and whether what a gap or a tip leaves out is missing for it.
      const isApart = page.gap !== undefined || place.at === 'tip' || read.from.at === 'tip';
      if (isApart && comparePositions(place, read.from) !== 0) continue;
      feed.give({ slots: read.slots, gap: page.gap, end: page.end === true, atTip: page.atTip === true, readTo: page.readTo });
    }
  }

  #room(feed: Feed): Promise<boolean> {
    return this.#permit.granted(() => !this.#lane.signal.aborted && this.#isServed(feed), this.#main);
  }
}
