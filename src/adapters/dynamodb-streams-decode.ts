/**
 * Turns a page of DynamoDB Streams into ChangeRecords: the one place where that is done, for both clients. Attribute values pass untouched; a page
 * keeps no reference to the answer's text. An event whose name is not known (a local server has one for time to live) is judged by its images.
 */
import type { ChangeKind, ChangeRecord, Source, UserIdentity, ViewType } from '../model/change-record.ts';
import type { Item } from '../model/item.ts';
import { keyOf } from '../model/key.ts';
import { type WireRecord, withTypedMaps } from './dynamodb-streams-wire.ts';

export interface DecodeContext {
  /** What all records of the page share. */
  readonly source: Source;
  /** Of the answer's body; the records' bytes add up to it. */
  readonly bodyBytes: number;
  /** Look for maps that have lost their type. */
  readonly untypedValues: boolean;
  /** Some were found. */
  onUntyped(): void;
}

type Draft = { -readonly [K in keyof ChangeRecord]: ChangeRecord[K] };

const KINDS: ReadonlyMap<string, ChangeKind> = new Map([
  ['INSERT', 'insert'],
  ['MODIFY', 'modify'],
  ['REMOVE', 'remove'],
]);

export function decodeRecords(records: readonly WireRecord[], context: DecodeContext): ChangeRecord[] {
  const { source, untypedValues } = context;
  const shares = byteShares(records, context.bodyBytes);
  const image = (item: Item): Item => {
    if (!untypedValues) return item;
    const typed = withTypedMaps(item);
    if (typed !== item) context.onUntyped();
    return typed;
  };
  return records.map((wire, index) => {
    const change = wire.dynamodb ?? {};
    const keys = change.Keys ?? {};
    const before = change.OldImage ?? undefined;
    const after = change.NewImage ?? undefined;
    const eventName = wire.eventName ?? '';
    const token = change.SequenceNumber ?? '';
    const record: Draft = {
      source,
      kind: KINDS.get(eventName) ?? kindByImages(before, after, source.viewType),
      key: keyOf(keys, source.keyNames),
      keys,
      token,
      changedAt: Math.round((change.ApproximateCreationDateTime ?? 0) * 1000),
      eventId: wire.eventID ?? `${source.partition}:${token}`,
      eventName,
      eventVersion: wire.eventVersion ?? '',
      sizeBytes: change.SizeBytes ?? 0,
      bytes: shares[index] ?? 0,
    };
    if (before !== undefined) record.before = image(before);
    if (after !== undefined) record.after = image(after);
    if (wire.userIdentity) record.userIdentity = identity(wire.userIdentity);
    return record;
  });
}

/** Whether the page has an event name that the code does not know. */
export function unknownEventName(records: readonly WireRecord[]): string | undefined {
  return records.find(record => !KINDS.has(record.eventName ?? ''))?.eventName;
}

/** Only a removal leaves no image behind where the view carries the new one; where it does not, an old image may be of either, and time to live is likelier. */
function kindByImages(before: Item | undefined, after: Item | undefined, view: ViewType): ChangeKind {
  if (after !== undefined) return before === undefined && view === 'NEW_AND_OLD_IMAGES' ? 'insert' : 'modify';
  return 'remove';
}

function identity(wire: NonNullable<WireRecord['userIdentity']>): UserIdentity {
  return { type: wire.type ?? wire.Type ?? '', principalId: wire.principalId ?? wire.PrincipalId ?? '' };
}

/** The body's bytes, shared by the size that DynamoDB gives for each record: cheaper than measuring, and nothing is counted twice or lost. */
function byteShares(records: readonly WireRecord[], bodyBytes: number): number[] {
  const weights = records.map(record => 1 + (record.dynamodb?.SizeBytes ?? 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let weightSoFar = 0;
  let given = 0;
  return weights.map(weight => {
    weightSoFar += weight;
    const upTo = Math.round((bodyBytes * weightSoFar) / total);
    const share = upTo - given;
    given = upTo;
    return share;
  });
}
