/**
 * A record held in memory, counted once in the process's budget however many hold it: the reading's window, the rest of a feed, the open work of
 * each sink. The last holder to let go frees its bytes.
 */
import type { ChangeRecord } from '../model/change-record.ts';

export interface Slot {
  readonly record: ChangeRecord;
  /** How many hold it. Only the budget changes it. */
  holders: number;
}

export const slotOf = (record: ChangeRecord): Slot => ({ record, holders: 0 });
