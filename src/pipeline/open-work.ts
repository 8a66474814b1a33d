/**
 * What one sink has taken at one partition and not finished: the watermark, the bytes held, and the accounts. A record enters once and leaves once, as
 * finished with an outcome or as released because the run ended without it.
 */
import type { Position } from '../model/position.ts';
import type { EpochMs, Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { Observer, Outcome, SinkLabels } from '../ports/observer.ts';
import type { Budget } from './budget.ts';
import type { Entry } from './entry.ts';
import type { OpenSink } from './open-sink.ts';
import type { Slot } from './slot.ts';
import { Watermark } from './watermark.ts';

export interface OpenWorkParts {
  readonly sink: OpenSink;
  readonly labels: SinkLabels;
  readonly budget: Budget;
  readonly clock: Clock;
  readonly observer: Observer;
}

export class OpenWork {
  readonly #parts: OpenWorkParts;
  readonly #watermark: Watermark;
  #bytes = 0;
  #records = 0;
  #gaps = 0;
  #lastFinishedAt: Ms;

  constructor(parts: OpenWorkParts, head: Position) {
    this.#parts = parts;
    this.#watermark = new Watermark(head);
    this.#lastFinishedAt = parts.clock.elapsed();
  }

  /** Everything up to here is finished. */
  get head(): Position {
    return this.#watermark.head;
  }

  /** Nothing is open, gaps that are being written down included. */
  get isEmpty(): boolean {
    return this.#watermark.isEmpty;
  }

  /** Gaps are being written down. */
  get hasGaps(): boolean {
    return this.#gaps > 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get records(): number {
    return this.#records;
  }

  /** Bytes above the head, finished or not. */
  get windowBytes(): number {
    return this.#watermark.windowBytes;
  }

  get oldestChangedAt(): EpochMs | undefined {
    return this.#watermark.oldestChangedAt;
  }

  /** Since something was finished, or since there was nothing to finish. */
  get idleMs(): Ms {
    return this.#parts.clock.elapsed() - this.#lastFinishedAt;
  }

  enter(slot: Slot, position: Position): Entry {
    const { record } = slot;
    const { sink, budget, clock } = this.#parts;
    const takenAt = clock.elapsed();
    if (this.#records === 0) this.#lastFinishedAt = takenAt;
    const ordinal = this.#watermark.enter(position, record.bytes, record.changedAt);
    budget.hold(slot);
    sink.hold(record.bytes);
    this.#bytes += record.bytes;
    this.#records += 1;
    sink.accounts.took();
    return { slot, ordinal, takenAt, group: sink.groupOf(record), tries: 0, done: false };
  }

  /** Something that is no record and holds the head until the returned function is called: a gap that is being written down. */
  enterGap(position: Position): () => void {
    const ordinal = this.#watermark.enterHold(position, this.#parts.clock.now());
    this.#gaps += 1;
    return () => {
      this.#gaps -= 1;
      this.#watermark.finish(ordinal);
    };
  }

  /** The target holds everything up to here, read or not. */
  cover(position: Extract<Position, { at: 'after' | 'from' }>): void {
    this.#watermark.cover(position);
  }

  finish(entries: readonly Entry[], outcome: Outcome): void {
    if (entries.length === 0) return;
    for (const entry of entries) {
      if (entry.done) throw new Error(`record ${entry.slot.record.token} finished twice`);
      entry.done = true;
      this.#watermark.finish(entry.ordinal);
      this.#letGo(entry);
    }
    this.#lastFinishedAt = this.#parts.clock.elapsed();
    this.#account(outcome, entries.length);
    if (outcome === 'written') this.#ages(entries);
  }

  /** Gives them up: they are read again by whoever goes on. */
  release(entries: readonly Entry[]): void {
    for (const entry of entries) this.#letGo(entry);
    this.#account('released', entries.length);
  }

  #letGo(entry: Entry): void {
    const { bytes } = entry.slot.record;
    this.#parts.sink.letGo(bytes, this.#parts.budget.shareBytes);
    this.#bytes -= bytes;
    this.#records -= 1;
    this.#parts.budget.release(entry.slot);
  }

  #account(outcome: Outcome, records: number): void {
    if (records === 0) return;
    this.#parts.sink.accounts.finished(outcome, records);
    this.#parts.observer.recordsFinished?.(this.#parts.labels, outcome, records);
  }

  #ages(entries: readonly Entry[]): void {
    const { observer, clock, labels } = this.#parts;
    if (observer.latencies === undefined) return;
    const now = clock.now();
    const ages = entries.map(entry => Math.max(0, now - entry.slot.record.changedAt));
    observer.latencies(labels, ages);
  }
}
