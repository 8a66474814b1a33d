/**
 * A Reader over a list in memory: records are appended, pages are cut from it, and the end is closed by the test. Counts what is read, and can hold
 * every read until the test lets it go.
 */
import type { ChangeRecord } from '../../src/model/change-record.ts';
import type { Gap, Page } from '../../src/model/page.ts';
import { compareTokens, type Position } from '../../src/model/position.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Reader } from '../../src/ports/reader.ts';

export class ScriptedReader implements Reader {
  readonly partition = 'shard-1';
  readonly records: ChangeRecord[] = [];
  reads = 0;
  open = 0;
  mostOpen = 0;
  closed = false;
  gap: { before: string; gap: Gap } | undefined;
  readonly #clock: Clock;
  readonly #pageRecords: number;
  readonly #pollMs: number;

  constructor(clock: Clock, options: { pageRecords?: number; pollMs?: number } = {}) {
    this.#clock = clock;
    this.#pageRecords = options.pageRecords ?? 100;
    this.#pollMs = options.pollMs ?? 250;
  }

  async *pages(from: Position, signal: AbortSignal, permit: () => Promise<boolean> = async () => true): AsyncGenerator<Page> {
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    try {
      let next = this.#indexOf(from);
      for (;;) {
        if (signal.aborted || !(await permit()) || signal.aborted) return;
        this.reads += 1;
        await this.#clock.sleep(2, signal);
        if (signal.aborted) return;
        const records = this.records.slice(next, next + this.#pageRecords);
        const gap = records.find(record => record.token === this.gap?.before) && this.gap ? { gap: this.gap.gap } : {};
        next += records.length;
        const atTip = next >= this.records.length;
        if (this.closed && atTip) {
          yield { records, ...gap, end: true };
          return;
        }
        yield { records, ...gap, ...(atTip && { atTip: true as const }) };
        if (atTip) await this.#clock.sleep(this.#pollMs, signal);
      }
    } finally {
      this.open -= 1;
    }
  }

  #indexOf(from: Position): number {
    if (from.at === 'start') return 0;
    const token = from.at === 'after' || from.at === 'from' ? from.token : undefined;
    if (token === undefined) return this.records.length;
    const least = from.at === 'from' ? 0 : 1;
    const index = this.records.findIndex(record => Math.sign(compareTokens(record.token, token)) >= least);
    return index < 0 ? this.records.length : index;
  }
}
