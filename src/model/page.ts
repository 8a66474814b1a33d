/** What one read of a partition returns, and what was lost before it. */
import type { ChangeRecord } from './change-record.ts';
import type { Token } from './position.ts';
import type { EpochMs } from './units.ts';

export type GapReason = 'trimmed' | 'shard-gone' | 'stream-replaced' | 'skipped' | 'dropped';

/** Records that were lost to some sinks. It is kept durably, with the sinks' names; never only logged. */
export interface Gap {
  readonly reason: GapReason;
  /** The last token before the hole, where one is known. */
  readonly from?: Token;
  /** The first token after the hole, where one is known. */
  readonly to?: Token;
  readonly at: EpochMs;
  readonly note: string;
}

export interface Page {
  readonly records: readonly ChangeRecord[];
  /** What could not be read before these records. */
  readonly gap?: Gap;
  /** The partition ends with this page. */
  readonly end?: true;
  /** Nothing was read: a read failed and is due again. It only gives the permit back, so that nobody holds room while waiting for a server. */
  readonly unanswered?: true;
  /** It failed because the partition is read more than its server likes. */
  readonly throttled?: true;
  /** For whoever waits at a tip: everything up to here was read and lies before it. */
  readonly readTo?: Token;
  /** Nothing was waiting behind this page when it was read. */
  readonly atTip?: true;
}
