/**
 * Law 1: a position is saved only when every record up to it is finished. Things enter in order, finish in any order, and the head moves over what is
 * finished without a hole. A gap is a thing too: it finishes when its record is durable.
 */
import { compareTokens, type Position } from '../model/position.ts';

interface Mark {
  readonly position: Position;
  readonly bytes: number;
  readonly changedAt: number;
  /** No record, but something that must be done before anything behind it is saved. */
  readonly holds: boolean;
  done: boolean;
}

type Reached = Extract<Position, { at: 'from' | 'after' }>;

export class Watermark {
  #marks: Mark[] = [];
  /** Index in `#marks` of the oldest mark still in the window, and its ordinal. */
  #first = 0;
  #firstOrdinal = 0;
  #head: Position;
  #cover: Reached | undefined;
  /** Bytes of everything above the head: unfinished work, and finished work above a hole. */
  windowBytes = 0;

  constructor(head: Position) {
    this.#head = head;
  }

  /** The position up to which everything is finished. */
  get head(): Position {
    return this.#head;
  }

  get isEmpty(): boolean {
    return this.#first === this.#marks.length;
  }

  /** When the oldest unfinished thing was changed; undefined when nothing is open. */
  get oldestChangedAt(): number | undefined {
    return this.#marks[this.#first]?.changedAt;
  }

  /** Enters a record that ends at `position`; its ordinal. */
  enter(position: Position, bytes: number, changedAt: number): number {
    return this.#enter({ position, bytes, changedAt, holds: false, done: false });
  }

  /** Enters something that has to be finished before anything behind it is saved, and that nothing covers. */
  enterHold(position: Position, changedAt: number): number {
    return this.#enter({ position, bytes: 0, changedAt, holds: true, done: false });
  }

  /**
   * The target holds everything up to this position: the head is there at once, also where what lies before it was given up or has not even been read.
   * (A head in the middle of an archive's file, saved before a crash, made the next life begin a file there: lines were twice.)
   */
  cover(position: Reached): void {
    if (this.#cover === undefined || compareTokens(this.#cover.token, position.token) < 0) this.#cover = position;
    this.#move();
  }

  /** Whether the head moved. */
  finish(ordinal: number): boolean {
    // Covered before it was finished: the head has passed it.
    if (ordinal < this.#firstOrdinal && this.#cover !== undefined) return false;
    const mark = this.#marks[this.#first + ordinal - this.#firstOrdinal];
    if (mark === undefined || mark.done) throw new Error(`finished twice or never entered: ordinal ${ordinal}`);
    mark.done = true;
    return ordinal === this.#firstOrdinal && this.#move();
  }

  #enter(mark: Mark): number {
    this.#marks.push(mark);
    this.windowBytes += mark.bytes;
    return this.#firstOrdinal + (this.#marks.length - this.#first) - 1;
  }

  #move(): boolean {
    for (;;) {
      const mark = this.#marks[this.#first];
      if (mark === undefined || !(mark.done || (!mark.holds && this.#covers(mark.position)))) break;
      if (!this.#covers(mark.position)) this.#head = mark.position;
      this.windowBytes -= mark.bytes;
      this.#first += 1;
      this.#firstOrdinal += 1;
    }
    const next = this.#marks[this.#first];
    const isHeld = next?.holds === true && this.#covers(next.position);
    if (this.#cover !== undefined && !isHeld && this.#isAhead(this.#cover)) this.#head = this.#cover;
    // Compacting at half keeps entering and finishing O(1) amortised.
    if (this.#first > 1024 && this.#first * 2 > this.#marks.length) {
      this.#marks = this.#marks.slice(this.#first);
      this.#first = 0;
    }
    return true;
  }

  #covers(position: Position): boolean {
    const cover = this.#cover;
    if (cover === undefined) return false;
    return position.at === 'after' || position.at === 'from' ? compareTokens(position.token, cover.token) <= 0 : position.at !== 'end';
  }

  #isAhead(cover: Reached): boolean {
    const head = this.#head;
    return head.at === 'after' || head.at === 'from' ? compareTokens(cover.token, head.token) > 0 : head.at !== 'end';
  }
}
