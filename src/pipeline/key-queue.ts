/**
 * What waits to be written of one key, in order, and the groups in which keys that are free wait for a batch. Law 2 lives here: a key that is in a
 * batch is held, and nothing of it is cut until the batch has settled.
 */
import type { Ms } from '../model/units.ts';
import type { Entry } from './entry.ts';

export interface KeyQueue {
  readonly key: string;
  entries: Entry[];
  bytes: number;
  /** Batches that hold it: cut and unsettled, or planned halves of a bisected one. */
  held: number;
  /** Not to be written before this monotonic time. */
  notBefore: Ms;
  /** The record that failed last as the lowest of its key, and how often in a row. */
  failing: number;
  failures: number;
}

export const keyQueue = (key: string): KeyQueue => ({ key, entries: [], bytes: 0, held: 0, notBefore: 0, failing: -1, failures: 0 });

/** Free keys whose next record belongs to one group, first come first served. */
export class Group {
  readonly name: string;
  readonly ready = new Map<string, KeyQueue>();
  readyRecords = 0;
  readyBytes = 0;
  inFlight = 0;

  constructor(name: string) {
    this.name = name;
  }

  add(queue: KeyQueue): void {
    this.ready.set(queue.key, queue);
    this.readyRecords += queue.entries.length;
    this.readyBytes += queue.bytes;
  }

  take(queue: KeyQueue): void {
    this.ready.delete(queue.key);
    this.readyRecords -= queue.entries.length;
    this.readyBytes -= queue.bytes;
  }

  /** A record was queued behind a key that is ready here. */
  grow(entry: Entry): void {
    this.readyRecords += 1;
    this.readyBytes += entry.slot.record.bytes;
  }

  /** Monotonic time at which the oldest waiting record was taken. */
  get oldestTakenAt(): Ms {
    for (const queue of this.ready.values()) return queue.entries[0]?.takenAt ?? 0;
    return Number.POSITIVE_INFINITY;
  }
}
