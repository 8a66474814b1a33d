/**
 * One sink's cursor in a reading, and the small machine of a sink at a partition: `waiting` for parents, `brisk` in the main reading, `behind` with a
 * place of its own and the rest of its last page, `ended`.
 */
import type { Gap, Page } from '../model/page.ts';
import { compareTokens, type Token } from '../model/position.ts';
import type { EpochMs, Ms } from '../model/units.ts';
import type { Budget } from './budget.ts';
import type { Reading } from './reading.ts';
import type { SinkRun } from './sink-run.ts';
import { type Slot, slotOf } from './slot.ts';

export type FeedState = 'waiting' | 'brisk' | 'behind' | 'ended';

export class Feed {
  readonly run: SinkRun;
  readonly #budget: Budget;
  state: FeedState = 'waiting';
  /** In the main reading, while brisk. */
  cursor = 0;
  /** When and how full it was when it was detached; -Infinity when it never was. */
  detachedAt: Ms = Number.NEGATIVE_INFINITY;
  detachedBytes = Number.POSITIVE_INFINITY;
  /** The turn of the second reading in which it was served last. */
  servedTurn = 0;
  /** The turn in which it was looked out for last. */
  lookedTurn = 0;
  /** When the oldest record was made that it has not taken, as far as is known; undefined: there is none. */
  untakenSince: EpochMs | undefined;
  /** The second reading had nothing for it, and nothing was read anywhere since. */
  foundNothing = false;
  /** That record has been seen: `untakenSince` stays true until it is taken. */
  #untakenSeen = false;
  #rest: { slots: Slot[]; next: number; end: boolean } | undefined;

  constructor(run: SinkRun, budget: Budget) {
    this.run = run;
    this.#budget = budget;
  }

  get hasRest(): boolean {
    return this.#rest !== undefined;
  }

  /** Enters the main reading at the first record it has not taken. */
  join(reading: Reading): void {
    const { place } = this.run;
    this.state = 'brisk';
    this.cursor = place.at === 'after' || place.at === 'from' ? reading.after(place.token) : reading.first;
    this.#untaken(undefined);
  }

  detach(reading: Reading, elapsed: Ms): void {
    this.state = 'behind';
    this.detachedAt = elapsed;
    this.detachedBytes = this.run.openBytes;
    this.#untaken(reading.at(this.cursor)?.record.changedAt);
  }

  /** Takes from the main reading what there is room for. Whether it took anything. */
  pump(reading: Reading): boolean {
    let took = false;
    while (this.cursor < reading.head && this.run.hasRoom) {
      const gap = reading.gapBefore(this.cursor);
      if (gap !== undefined) this.run.passGap(gap);
      const slot = reading.at(this.cursor);
      if (slot === undefined) throw new Error('a feed stands before what its reading holds');
      this.cursor += 1;
      if (this.#isNew(slot)) this.run.take(slot);
      took = true;
    }
    if (took) this.run.go();
    return took;
  }

  /** It has taken everything of a reading that has ended. What was lost after the last record is lost to it. */
  end(reading: Reading): void {
    const gap = reading.gapBefore(this.cursor);
    if (gap !== undefined) this.run.passGap(gap);
    this.run.end();
  }

  /** Learns from a reading that it is not in what lies after its place, or that nothing does. */
  lookAt(reading: Reading): void {
    if (this.state !== 'behind' || this.#rest !== undefined) return;
    const changedAt = reading.changedAfter(this.run.place);
    if (changedAt !== undefined) this.#untaken(changedAt ?? undefined);
  }

  /**
   * Nobody reads for it, and it is not known since when something is outstanding: it takes nothing, for its sink is not open or has no room, and no
   * reading holds what lies after its place.
   */
  isBlind(reading: Reading | undefined): boolean {
    if (this.state !== 'behind' || this.run.isEnding || this.#rest !== undefined || this.#untakenSeen) return false;
    if (this.run.sink.state === 'opening' || this.run.openRecords > 0) return false;
    return reading?.changedAfter(this.run.place) === undefined;
  }

  /** Learns what lies after its place from a page that was read there only to be looked at. The end it can take: nothing is written for that. */
  foresee(page: Page): void {
    const [first] = page.records;
    if (first !== undefined) this.#untaken(first.changedAt);
    else if (page.end || page.atTip) this.#untaken(undefined);
    if (first !== undefined || !page.end) return;
    if (page.gap !== undefined) this.run.passGap(page.gap);
    this.run.end();
  }

  /** Gives it a page of the second reading: what lies after its place. `gap` only to a feed that stands where it begins. */
  give(page: { slots: readonly Slot[]; gap?: Gap | undefined; end: boolean; atTip: boolean; readTo?: Token | undefined }): void {
    if (page.gap !== undefined) this.run.passGap(page.gap);
    if (page.readTo !== undefined) this.run.lookedTo(page.readTo);
    this.foundNothing = page.atTip && page.slots.length === 0 && page.readTo === undefined;
    this.untakenSince = page.atTip || page.end ? undefined : (page.slots.at(-1)?.record.changedAt ?? this.untakenSince);
    this.#untakenSeen = false;
    const slots = page.slots.filter(slot => this.#isNew(slot));
    for (const slot of slots) this.#keep(slot);
    this.#rest = { slots, next: 0, end: page.end };
    this.pumpRest();
  }

  /** Takes from its rest up to its window. */
  pumpRest(): void {
    const rest = this.#rest;
    if (rest === undefined) return;
    let took = false;
    while (this.run.mayTake) {
      const slot = rest.slots[rest.next];
      if (slot === undefined) break;
      rest.next += 1;
      this.run.take(slot);
      this.#release(slot);
      took = true;
    }
    if (rest.next === rest.slots.length) {
      this.#rest = undefined;
      if (rest.end) this.run.end();
    }
    if (took) this.run.go();
  }

  /** What a paused, halted or leaving sink has not taken is read again later. */
  dropRest(): void {
    const rest = this.#rest;
    if (rest === undefined) return;
    this.#rest = undefined;
    const next = rest.slots[rest.next];
    if (next !== undefined) this.#untaken(next.record.changedAt);
    for (const slot of rest.slots.slice(rest.next)) this.#release(slot);
  }

  /** When the oldest record that is not durable for it was made, read or not; undefined when nothing is outstanding, as far as is known. */
  oldestAt(reading: Reading | undefined): EpochMs | undefined {
    const { oldestChangedAt } = this.run;
    if (oldestChangedAt !== undefined) return oldestChangedAt;
    if (this.state === 'brisk' && reading !== undefined) {
      return reading.at(this.cursor)?.record.changedAt ?? (reading.atTip === false ? reading.lastChangedAt : undefined);
    }
    const rest = this.#rest;
    return rest?.slots[rest.next]?.record.changedAt ?? this.untakenSince;
  }

  /** Of a record that was seen, or of none. */
  #untaken(since: EpochMs | undefined): void {
    this.untakenSince = since;
    this.#untakenSeen = since !== undefined;
  }

  #isNew(slot: Slot): boolean {
    const { place } = this.run;
    if (place.at === 'after') return compareTokens(slot.record.token, place.token) > 0;
    return place.at !== 'from' || compareTokens(slot.record.token, place.token) >= 0;
  }

  #keep(slot: Slot): void {
    this.#budget.hold(slot);
    this.run.sink.hold(slot.record.bytes);
  }

  #release(slot: Slot): void {
    this.run.sink.letGo(slot.record.bytes, this.#budget.shareBytes);
    this.#budget.release(slot);
  }
}

export const slotsOf = (records: readonly Slot['record'][]): Slot[] => records.map(slotOf);
