/** Compares what a target shows with what it was given: everything there, nothing else, in the promised order, as often as promised, images exact. */
import { expect } from 'chai';
import type { Traits } from '../../../src/connector.ts';
import type { ChangeRecord } from '../../../src/model/change-record.ts';
import type { Image } from '../../../src/model/item.ts';
import { keyOf } from '../../../src/model/key.ts';
import { canonicalImage } from '../../../src/replication/image.ts';
import type { Seen, SinkPromises } from './suite.ts';

export interface Expected {
  /** In the order of the stream. */
  readonly records: readonly ChangeRecord[];
  readonly times: 'once' | 'at least once';
  readonly order: Traits['order'];
  readonly promises: SinkPromises;
}

export function expectSeen(seen: readonly Seen[], expected: Expected): void {
  if (expected.promises.keeps === 'log') expectLog(seen, expected);
  if (expected.promises.keeps === 'state') expectState(seen, expected.records);
}

function expectLog(seen: readonly Seen[], { records, times, order, promises }: Expected): void {
  const known = new Map(records.map(record => [record.eventId, record]));
  const counts = new Map<string, number>();
  const arrived: ChangeRecord[] = [];
  const strangers: (string | undefined)[] = [];
  for (const { eventId = '', after } of seen.filter(({ tombstone }) => !tombstone)) {
    const record = known.get(eventId);
    if (record === undefined) {
      strangers.push(eventId);
      continue;
    }
    if (!counts.has(eventId)) arrived.push(record);
    counts.set(eventId, (counts.get(eventId) ?? 0) + 1);
    if (promises.exactImages) expect(textOf(after), `new image of ${record.token}`).to.equal(textOf(record.after));
  }
  expect(strangers, 'events that were never written').to.deep.equal([]);
  expect(tokens(records.filter(({ eventId }) => !counts.has(eventId))), 'missing').to.deep.equal([]);
  if (times === 'once') expect(tokens(records.filter(({ eventId }) => (counts.get(eventId) ?? 0) > 1)), 'repeated').to.deep.equal([]);
  expectOrder(arrived, records, order);
  expectTombstones(seen, known, promises.tombstones);
}

function expectOrder(arrived: readonly ChangeRecord[], records: readonly ChangeRecord[], order: Traits['order']): void {
  if (order === 'none') return;
  const lane = ({ key }: ChangeRecord) => (order === 'partition' ? '' : key);
  const lanesOf = (list: readonly ChangeRecord[]) => Map.groupBy(list, lane);
  const due = lanesOf(records);
  for (const [name, list] of lanesOf(arrived))
    expect(tokens(list), `order of ${name || 'the partition'}`).to.deep.equal(tokens(due.get(name)));
}

/** Each removal that was seen is followed by a tombstone, or no tombstone is seen at all. */
function expectTombstones(seen: readonly Seen[], known: ReadonlyMap<string, ChangeRecord>, promised: boolean): void {
  const owed = new Set<string>();
  for (const { eventId = '', tombstone } of seen) {
    if (tombstone) {
      expect(promised && known.get(eventId)?.kind === 'remove', `a tombstone of ${eventId}`).to.equal(true);
      owed.delete(eventId);
    } else if (promised && known.get(eventId)?.kind === 'remove') owed.add(eventId);
  }
  expect([...owed], 'removals without a tombstone').to.deep.equal([]);
}

function expectState(seen: readonly Seen[], records: readonly ChangeRecord[]): void {
  const due = new Map<string, string>();
  for (const { key, after } of records) {
    if (after === undefined) due.delete(key);
    else due.set(key, textOf(after));
  }
  const [source] = records.map(record => record.source);
  const there = seen.map(({ after = {} }) => [source ? keyOf(after, source.keyNames) : '', textOf(after)] as const);
  expect(new Map(there.toSorted()), 'items').to.deep.equal(new Map([...due].toSorted()));
}

const textOf = (image: Image | undefined): string => (image === undefined ? 'none' : canonicalImage(image));
const tokens = (records: readonly ChangeRecord[] = []): string[] => records.map(({ token }) => token);
