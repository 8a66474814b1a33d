/** The pipeline's mouth: whatever can be read page by page from a position. */
import type { Page } from '../model/page.ts';
import type { Position } from '../model/position.ts';
import type { PartitionId } from '../model/units.ts';

export interface Reader {
  readonly partition: PartitionId;
  /**
   * Pages in order from a position. One call of `next()` is one read; between two calls nothing is read. It waits by itself after a page that was
   * not full, heals expired iterators and throttles, and ends after a page with `end`. When the signal aborts it returns, without a throw.
   * `permit` is asked right before each read, after any wait: there is room for one page when it resolves to true; false ends the reading. Each true
   * is answered by exactly one page, or by the end of the iteration; a read that failed and is due again is a page that says `unanswered`. It may be opened twice at a time. What it throws is a surprise: the run rethrows it.
   */
  pages(from: Position, signal: AbortSignal, permit?: () => Promise<boolean>): AsyncIterable<Page>;
}
