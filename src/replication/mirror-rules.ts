/**
 * Rules of mode `mirror`: this service is the only writer of the replica, and the order of a key is the order of the source's stream. Each item carries
 * its stamp; a put or a removal takes effect only on something older. What was there before us (a bulk load, another pipeline) counts as older.
 */
import type { ChangeRecord } from '../model/change-record.ts';
import type { Item } from '../model/item.ts';
import { markerOf, mirrorMarker, unmarked } from './marker.ts';
import { isSnapshotStamp, type Stamp, snapshotStamp, stampOf } from './stamp.ts';
import type { Condition, Reading, Rules, Standing, Version } from './versions.ts';

export interface MirrorOptions {
  /** Service and pipeline. */
  readonly writer: string;
  readonly stampAttribute: string;
}

export function mirrorRules({ writer, stampAttribute }: MirrorOptions): Rules {
  const names = { '#tm': stampAttribute, '#s': 's', '#p': 'p' };
  const adoptable = '(attribute_exists(#tm.#p) AND #tm.#p <> :p)';
  const older = '(#tm.#p = :p AND #tm.#s < :s)';
  const values = ({ s, p = writer }: Version) => ({ ':s': { S: s }, ':p': { S: p } });

  return {
    read: record => readRecord(record, { writer, stampAttribute }),
    compare: (a, b) => (a.s < b.s ? -1 : a.s > b.s ? 1 : 0),
    marked: (image, version) => ({ ...image, [stampAttribute]: mirrorMarker(version.s, writer) }),
    unmarked: item => unmarked(item, stampAttribute),
    putIf: (version, keyNames) =>
      isSnapshotStamp(version.s)
        ? { ConditionExpression: 'attribute_not_exists(#pk)', ExpressionAttributeNames: { '#pk': keyNames[0] } }
        : {
            ConditionExpression: `attribute_not_exists(#pk) OR attribute_not_exists(#tm) OR ${adoptable} OR ${older}`,
            ExpressionAttributeNames: { '#pk': keyNames[0], ...names },
            ExpressionAttributeValues: values(version),
          },
    removeIf: version => ({
      ConditionExpression: `attribute_not_exists(#tm) OR ${adoptable} OR ${older}`,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values(version),
    }),
    // Not what a loader or a later pipeline has put there since.
    removeAgainIf: version => ({
      ConditionExpression: '#tm.#p = :p AND #tm.#s < :s',
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values(version),
    }),
    tombstoneFields: ({ s, p = writer }) => ({ s: { S: s }, p: { S: p } }),
    tombstoneIf: version => tombstoneBelow(values(version)),
    noTombstoneIf: version => tombstoneBelow(values(version)),
    standing: (version, item) => standing(version, item, stampAttribute),
  };
}

/** No tombstone, one of another pipeline (or mode), or a lower one. A snapshot's stamp is below every removal, so any tombstone of ours stops it. */
function tombstoneBelow(values: Condition['ExpressionAttributeValues']): Condition {
  return {
    ConditionExpression: 'attribute_not_exists(#p) OR #p <> :p OR #s < :s',
    ExpressionAttributeNames: { '#p': 'p', '#s': 's' },
    ...(values && { ExpressionAttributeValues: values }),
  };
}

function readRecord(record: ChangeRecord, { writer, stampAttribute }: MirrorOptions): Reading {
  const s = recordStamp(record);
  if (s === undefined) return { is: 'refused', reason: `its sequence number ${record.token} is not a number of a stream` };
  if (record.kind === 'remove') return { is: 'remove', version: { s, p: writer, removed: true } };
  if (record.after === undefined) return { is: 'refused', reason: 'it carries no new image' };
  if (markerOf(record.after, stampAttribute).is === 'foreign') return foreign(stampAttribute);
  return { is: 'put', version: { s, p: writer, removed: false }, image: unmarked(record.after, stampAttribute) };
}

export function recordStamp({ source, token }: ChangeRecord): Stamp | undefined {
  return source.origin === 'snapshot' ? snapshotStamp(source.streamCreatedAt) : stampOf(source.streamCreatedAt, token);
}

export function foreign(stampAttribute: string): Reading {
  return {
    is: 'refused',
    reason: `the item has an attribute ${JSON.stringify(stampAttribute)} of its own, where the replica keeps its stamp: choose another name by stampAttribute`,
  };
}

function standing(version: Version, item: Item | undefined, stampAttribute: string): Standing {
  if (item === undefined) return 'nothing';
  const marker = markerOf(item, stampAttribute);
  if (marker.is === 'mirror') return marker.s === version.s && marker.p === version.p ? 'same' : 'newer';
  // A scanned row yields to whatever is there.
  return isSnapshotStamp(version.s) ? 'newer' : 'foreign';
}
