/**
 * Law 1: a position is saved only when every record up to it is finished. Things enter in order, finish in any order, and the head moves over what is
 * finished without a hole. A gap is a thing too: it finishes when its record is durable.
 */
import type { Position } from '../model/position.ts';

interface Mark {
  readonly position: Position;
  readonly bytes: number;
  readonly changedAt: number;
  done: boolean;
}

export class Watermark {
  #marks: Mark[] = [];
  /** Index in `#marks` of the oldest mark still in the window, and its ordinal. */
  #first = 0;
  #firstOrdinal = 0;
  #head: Position;
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

  /** Enters something that ends at `position`; its ordinal. */
  enter(position: Position, bytes: number, changedAt: number): number {
    this.#marks.push({ position, bytes, changedAt, done: false });
    this.windowBytes += bytes;
    return this.#firstOrdinal + (this.#marks.length - this.#first) - 1;
  }

  /** Whether the head moved. */
  finish(ordinal: number): boolean {
    const mark = this.#marks[this.#first + ordinal - this.#firstOrdinal];
    if (mark === undefined || mark.done) throw new Error(`finished twice or never entered: ordinal ${ordinal}`);
    mark.done = true;
    return ordinal === this.#firstOrdinal && this.#move();
  }

  #move(): boolean {
    for (;;) {
      const mark = this.#marks[this.#first];
      if (mark === undefined || !mark.done) break;
      this.#head = mark.position;
      this.windowBytes -= mark.bytes;
      this.#first += 1;
      this.#firstOrdinal += 1;
    }
    // Compacting at half keeps entering and finishing O(1) amortised.
    if (this.#first > 1024 && this.#first * 2 > this.#marks.length) {
      this.#marks = this.#marks.slice(this.#first);
      this.#first = 0;
    }
    return true;
  }
}
