/** One change that is to be written now, with all that its writer must know. */
import type { EpochMs } from '../../src/model/units.ts';
import type { Change } from './lanes.ts';
import type { Outcome } from './outcomes.ts';
import type { Target } from './targets.ts';

export interface Work {
  readonly change: Change;
  readonly target: Target;
  /** Table and key: what memories go by. */
  readonly place: string;
  /** As the batch says. */
  readonly replayedBefore: EpochMs;
}

/** How changes are written: with conditions, or in plain batches. Outcomes are in the order of the work; it never throws. */
export interface Writer {
  write(work: readonly Work[], signal: AbortSignal): Promise<readonly Outcome[]>;
}
