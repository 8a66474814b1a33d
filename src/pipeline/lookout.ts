/**
 * A look at what lies after the place of a feed that takes nothing, so that the lag of a paused or halted sink is right where nobody else reads: after a
 * restart with all sinks paused, or with the others further on. It reads in the turn of the second reading (law 5), keeps nothing, and is over when the
 * first record has been seen, when somebody else reads there, or when a feed wants to be served.
 */
import { comparePositions } from '../model/position.ts';
import type { Feed } from './feed.ts';
import type { Lane } from './main-reading.ts';
import type { Permit } from './permit.ts';
import type { Reading } from './reading.ts';

/** Where nothing comes for feeds at several places, each is looked out for in turn: so many pages, for only between pages of one turn there is a wait. */
const TURN_PAGES = 8;

/** The main reading, as seen from beside it. */
export interface MainSeen {
  readonly reading: Reading | undefined;
  readonly isThrottled: boolean;
}

export interface LookoutParts {
  readonly lane: Lane;
  readonly permit: Permit;
  readonly main: MainSeen;
  /** Whether a feed is to be served: that goes first. */
  readonly isServing: () => boolean;
}

export class Lookout {
  readonly #parts: LookoutParts;
  #feed: Feed | undefined;
  #over = new AbortController();
  #turn = 0;

  constructor(parts: LookoutParts) {
    this.#parts = parts;
  }

  /** A feed to look out for. */
  next(): Feed | undefined {
    return this.#blind().toSorted((a, b) => a.lookedTurn - b.lookedTurn)[0];
  }

  /** Something may have changed: a look that is not needed any more ends at once, be it in the wait between two pages. */
  lookAgain(): void {
    if (this.#feed !== undefined && !this.#isNeeded(this.#feed)) this.#over.abort();
  }

  async run(feed: Feed): Promise<void> {
    this.#turn += 1;
    feed.lookedTurn = this.#turn;
    this.#feed = feed;
    this.#over = new AbortController();
    try {
      await this.#look(feed, this.#over.signal);
    } finally {
      this.#feed = undefined;
      this.#parts.permit.giveBack();
    }
  }

  async #look(feed: Feed, signal: AbortSignal): Promise<void> {
    const { lane, permit, main } = this.#parts;
    const room = () => permit.granted(() => this.#isNeeded(feed), main);
    let pages = 0;
    for await (const page of lane.parts.reader.pages(feed.run.place, signal, room)) {
      permit.giveBack();
      if (!this.#isNeeded(feed)) return;
      if (page.unanswered) continue;
      lane.answered(page);
      const { place } = feed.run;
      for (const other of this.#blind()) if (comparePositions(other.run.place, place) === 0) other.foresee(page);
      pages += 1;
      if (!this.#isNeeded(feed) || (pages >= TURN_PAGES && this.#blind().length > 1)) return;
    }
  }

  #blind(): Feed[] {
    return this.#parts.lane.feeds.filter(feed => feed.isBlind(this.#parts.main.reading));
  }

  #isNeeded(feed: Feed): boolean {
    return !this.#parts.lane.signal.aborted && !this.#parts.isServing() && feed.isBlind(this.#parts.main.reading);
  }
}
