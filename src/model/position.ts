/**
 * Tokens and positions. A token is a record's place in its partition, as text given by the reader: a longer token is later, else text order decides
 * (DynamoDB's sequence numbers are so; other readers pad theirs). A position is a place in a partition and carries the time of its record, so that
 * lag is known after a restart before anything was read.
 */
import type { EpochMs } from './units.ts';

export type Token = string;

export type Position =
  | { readonly at: 'start' }
  /** `readTo`: everything up to there was read and lies before the tip. For whoever reads on in this process; it is not saved. */
  | { readonly at: 'tip'; readonly takenAt: EpochMs; readonly readTo?: Token }
  | { readonly at: 'from' | 'after'; readonly token: Token; readonly changedAt: EpochMs }
  | { readonly at: 'end' };

/** Negative when `a` is earlier. */
export function compareTokens(a: Token, b: Token): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

const RANK = { start: 0, tip: 1, from: 2, after: 2, end: 3 } as const;

/**
 * Negative when `a` is the earlier place of one partition. A tip counts as just past the start, for nothing of it has been read yet; of two tips the one
 * taken later is the later place, so that a reading opened at it is not taken for one that serves the other.
 */
export function comparePositions(a: Position, b: Position): number {
  if ((a.at === 'from' || a.at === 'after') && (b.at === 'from' || b.at === 'after')) {
    return compareTokens(a.token, b.token) || (a.at === b.at ? 0 : a.at === 'from' ? -1 : 1);
  }
  if (a.at === 'tip' && b.at === 'tip') return a.takenAt - b.takenAt;
  return RANK[a.at] - RANK[b.at];
}
