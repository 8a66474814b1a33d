/**
 * A batch sorted by key. Of a key's changes the highest version is written and the others are settled by it; in mode mirror that is the last, in mode
 * version it need not be. What we wrote ourselves and what options leave out is settled at once. The first refused change of a key closes its lane: what
 * comes after it waits, for it may depend on it.
 */
import type { ChangeRecord } from '../../src/model/change-record.ts';
import type { Reading, Rules } from '../../src/replication/versions.ts';

/** `left-out`: by `deletes` or `ttlDeletes`. */
export type Judged = Reading | { readonly is: 'left-out' };

export interface Change {
  readonly index: number;
  readonly record: ChangeRecord;
  readonly reading: Reading & { readonly is: 'put' | 'remove' };
}

export interface Lane {
  /** In order. */
  readonly changes: readonly Change[];
  /** Indexes of those that are ours or left out. */
  readonly settled: readonly number[];
  /** The first refused one. */
  readonly refused?: { readonly index: number; readonly reason: string };
  /** Indexes after it. */
  readonly waiting: readonly number[];
}

interface OpenLane {
  readonly changes: Change[];
  readonly waiting: number[];
  readonly settled: number[];
  refused?: { readonly index: number; readonly reason: string };
}

export function lanesOf(records: readonly ChangeRecord[], judge: (record: ChangeRecord) => Judged): Lane[] {
  const lanes = new Map<string, OpenLane>();
  for (const [index, record] of records.entries()) {
    const name = laneName(record);
    const lane = lanes.get(name) ?? { changes: [], waiting: [], settled: [] };
    lanes.set(name, lane);
    place(lane, { index, record }, judge);
  }
  return [...lanes.values()];
}

/** Keys of two tables may look alike. */
export function laneName({ source, key }: ChangeRecord): string {
  return `${source.table}/${key}`;
}

function place(lane: OpenLane, { index, record }: { index: number; record: ChangeRecord }, judge: (record: ChangeRecord) => Judged): void {
  if (lane.refused) {
    lane.waiting.push(index);
    return;
  }
  const reading = judge(record);
  if (reading.is === 'refused') lane.refused = { index, reason: reading.reason };
  else if (reading.is === 'put' || reading.is === 'remove') lane.changes.push({ index, record, reading });
  else lane.settled.push(index);
}

/** The change that settles the lane: of equal versions the later one. */
export function winnerOf(lane: Lane, compare: Rules['compare']): Change | undefined {
  return lane.changes.reduce<Change | undefined>(
    (best, change) => (best && compare(best.reading.version, change.reading.version) > 0 ? best : change),
    undefined,
  );
}
