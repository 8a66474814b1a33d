/** Why a sink does not go on at a partition, in words for an operator; null while it does, or has nothing to do. Pure. */
import type { Position } from '../model/position.ts';
import type { Ms } from '../model/units.ts';

const STALLED_MS: Ms = 30_000;

export interface Progressing {
  readonly head: Position;
  readonly windowFull: boolean;
  readonly shareFull: boolean;
  /** A begun write or a retry is pending. */
  readonly pending: boolean;
  /** Since something was finished. */
  readonly idleMs: Ms;
}

export function stallReason(at: Progressing): string | null {
  const oldest = at.head.at === 'after' ? `the record after ${at.head.token}` : 'the first record';
  if (at.windowFull) return `the window is full: waiting for ${oldest}`;
  if (at.shareFull) return `the sink's share of the memory is full: waiting for ${oldest}`;
  if (at.pending && at.idleMs >= STALLED_MS)
    return `nothing has been finished for ${Math.round(at.idleMs / 1000)} s: waiting for ${oldest}`;
  return null;
}
