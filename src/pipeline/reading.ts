/**
 * One pass over a partition and the bounded window of its records. It keeps records until every feed in it has passed and room is needed, so that a
 * feed that fell behind can come back without being read again. Ordinals count the records of this reading.
 */
import type { Gap, Page } from '../model/page.ts';
import { comparePositions, compareTokens, type Position, type Token } from '../model/position.ts';
import type { EpochMs } from '../model/units.ts';
import type { Budget } from './budget.ts';
import { type Slot, slotOf } from './slot.ts';

export class Reading {
  readonly openedAt: Position;
  readonly #budget: Budget;
  #slots: Slot[] = [];
  #first = 0;
  #gaps = new Map<number, Gap>();
  /** The last record let go; none has been while undefined. */
  lastLetGo: Token | undefined;
  bytes = 0;
  /** The partition's end has been read. */
  ended = false;
  /** Nothing was waiting behind the last page. Undefined before the first. */
  atTip: boolean | undefined;
  lastChangedAt: number | undefined;

  constructor(openedAt: Position, budget: Budget) {
    this.openedAt = openedAt;
    this.#budget = budget;
  }

  /** Ordinal of the oldest record held. */
  get first(): number {
    return this.#first;
  }

  /** Ordinal that the next record will have. */
  get head(): number {
    return this.#first + this.#slots.length;
  }

  append(page: Page): void {
    if (page.gap !== undefined) this.#gaps.set(this.head, page.gap);
    for (const record of page.records) {
      const slot = slotOf(record);
      this.#budget.hold(slot);
      this.#slots.push(slot);
      this.bytes += record.bytes;
    }
    this.lastChangedAt = page.records.at(-1)?.changedAt ?? this.lastChangedAt;
    this.atTip = page.atTip === true;
    if (page.end) this.ended = true;
  }

  at(ordinal: number): Slot | undefined {
    return this.#slots[ordinal - this.#first];
  }

  /** What was lost right before this ordinal. */
  gapBefore(ordinal: number): Gap | undefined {
    return this.#gaps.get(ordinal);
  }

  /** Ordinal of the first record after a token. */
  after(token: Token): number {
    let low = this.#first;
    let high = this.head;
    while (low < high) {
      const middle = (low + high) >> 1;
      const slot = this.at(middle);
      if (slot !== undefined && compareTokens(slot.record.token, token) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** When the first record after a place was made; null when nothing lies there; undefined when this reading cannot tell. */
  changedAfter(place: Position): EpochMs | null | undefined {
    if (place.at === 'end' || comparePositions(this.openedAt, place) > 0) return undefined;
    const token = place.at === 'after' || place.at === 'from' ? place.token : undefined;
    if (token === undefined && comparePositions(this.openedAt, place) !== 0) return undefined;
    if (this.lastLetGo !== undefined && (token === undefined || compareTokens(this.lastLetGo, token) > 0)) return undefined;
    let ordinal = token === undefined ? this.#first : this.after(token);
    if (place.at === 'from' && this.at(ordinal - 1)?.record.token === token) ordinal -= 1;
    return this.at(ordinal)?.record.changedAt ?? (this.atTip === true ? null : undefined);
  }

  /** Lets go of records below `ordinal` until at most `bytes` are held. */
  letGo(ordinal: number, bytes: number): void {
    let count = 0;
    let freed = 0;
    while (this.#first + count < ordinal && this.bytes - freed > bytes) {
      const slot = this.#slots[count];
      if (slot === undefined) break;
      freed += slot.record.bytes;
      count += 1;
    }
    if (count === 0) return;
    const gone = this.#slots.splice(0, count);
    this.#first += count;
    this.bytes -= freed;
    this.lastLetGo = gone.at(-1)?.record.token ?? this.lastLetGo;
    for (const at of this.#gaps.keys()) if (at < this.#first) this.#gaps.delete(at);
    for (const slot of gone) this.#budget.release(slot);
  }

  close(): void {
    this.letGo(this.head, -1);
  }
}
