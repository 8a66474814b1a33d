/**
 * A record that a sink has taken: its slot, where it stands in the order of taking, and what has been tried with it.
 */
import type { Ms } from '../model/units.ts';
import type { Slot } from './slot.ts';

export interface Entry {
  readonly slot: Slot;
  /** Counts up by one per record taken by this sink at this partition. */
  readonly ordinal: number;
  /** Monotonic time of taking. */
  readonly takenAt: Ms;
  readonly group: string;
  /** Writes that used up a try of this record. */
  tries: number;
  done: boolean;
}
