/** A batch as it is cut from the queues of a sink, and what it is cut by. */
import type { Ms } from '../model/units.ts';
import type { Entry } from './entry.ts';

export interface Cut {
  readonly group: string;
  /** What is written, in order. */
  readonly written: readonly Entry[];
  /** Older changes of keys in `written` that the newest stands for. */
  readonly coalesced: readonly Entry[];
}

export interface CutNow {
  readonly elapsed: Ms;
  /** Room is short or the end has come: cut what waits, full or not. */
  readonly pressed: boolean;
  /** Share of the plan's batch size, halved after a timeout. */
  readonly scale: number;
}
