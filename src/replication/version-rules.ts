/**
 * Rules of mode `version`: the last writer wins, by an attribute that the application raises with every write, so that applications may write the replica
 * too. Versions are compared by that attribute, then a removal beats a put, then the name of the region where the change was made, then the stamp there.
 * What we wrote ourselves is known by its marker and never shipped on.
 */
import type { ChangeRecord } from '../model/change-record.ts';
import type { Image, Item } from '../model/item.ts';
import { attributeOf, type Marker, markerOf, unmarked, versionMarker } from './marker.ts';
import { foreign, recordStamp } from './mirror-rules.ts';
import { compareText, compareValues } from './order.ts';
import { removalValue, tooFarAhead, type VersionAttribute, versionOf } from './version-attribute.ts';
import { type VersionOptions, versionConditions } from './version-conditions.ts';
import type { Reading, Rules, Version } from './versions.ts';

export function versionRules(options: VersionOptions): Rules {
  const { attribute, stampAttribute } = options;
  return {
    read: (record, now) => readRecord(record, now, options),
    compare: compareVersions,
    marked: (image, { o = options.from, s, v }) => ({ ...image, [stampAttribute]: versionMarker(o, s, v) }),
    unmarked: item => unmarked(item, stampAttribute),
    ...versionConditions(options),
    tombstoneFields: ({ o = options.from, s, v }) => ({ o: { S: o }, s: { S: s }, ...(v && { v }) }),
    standing: (version, item) => {
      if (item === undefined) return 'nothing';
      const held = versionOfItem(item, attribute, stampAttribute, options.to);
      if (compareVersions(version, held) === 0) return 'same';
      return held.o === version.o ? 'newer' : 'rival';
    },
  };
}

export function compareVersions(a: Version, b: Version): number {
  return (
    compareValues(a.v, b.v) ||
    Number(a.removed) - Number(b.removed) ||
    compareText(a.o ?? '', b.o ?? '') ||
    (a.s < b.s ? -1 : a.s > b.s ? 1 : 0)
  );
}

/** Of an item as it stands in a table: replicated there, or written there by an application (then its place in that table's stream is not known). */
function versionOfItem(item: Item, attribute: VersionAttribute, stampAttribute: string, region: string): Version {
  const value = attributeOf(item, attribute.name);
  const v = value !== undefined && ('N' in value || 'S' in value) ? value : undefined;
  const marker = markerOf(item, stampAttribute);
  if (marker.is === 'version' && compareValues(marker.v, v) === 0) return { o: marker.o, s: marker.s, v, removed: false };
  return { o: region, s: '', v, removed: false };
}

function readRecord(record: ChangeRecord, now: number, options: VersionOptions): Reading {
  const s = recordStamp(record);
  if (s === undefined) return { is: 'refused', reason: `its sequence number ${record.token} is not a number of a stream` };
  const image = record.kind === 'remove' ? record.before : record.after;
  if (image === undefined) return { is: 'refused', reason: `it carries no ${record.kind === 'remove' ? 'old' : 'new'} image` };
  const marker = markerOf(image, options.stampAttribute);
  if (marker.is === 'foreign') return foreign(options.stampAttribute);
  const version = versionOf(image, options.attribute);
  if ('refused' in version) return { is: 'refused', reason: version.refused };
  const removed = record.kind === 'remove';
  const v = removed ? removalValue(version.value, record.changedAt, options.attribute.kind) : version.value;
  const ahead = tooFarAhead(v, now, options.attribute);
  if (ahead !== undefined) return { is: 'refused', reason: ahead };
  if (removed) return { is: 'remove', version: { o: options.from, s, v, removed } };
  return readPut(record, image, { o: options.from, s, v, removed }, { marker, stampAttribute: options.stampAttribute });
}

function readPut(record: ChangeRecord, after: Image, version: Version, seen: { marker: Marker; stampAttribute: string }): Reading {
  const { marker, stampAttribute } = seen;
  const image = unmarked(after, stampAttribute);
  if (marker.is !== 'version' || compareValues(marker.v, version.v) !== 0) return { is: 'put', version, image };
  // A row that is scanned has no old image to tell by; it is given the version that it says, which is right wherever it goes.
  if (record.source.origin === 'snapshot') return { is: 'put', version: { ...version, o: marker.o, s: marker.s }, image };
  return sameMarker(marker, record.before, stampAttribute) ? { is: 'put', version, image } : { is: 'ours' };
}

/** An application's update leaves the marker of the last replicated write as it was. */
function sameMarker(marker: Marker & { readonly is: 'version' }, before: Image | undefined, stampAttribute: string): boolean {
  if (before === undefined) return false;
  const old = markerOf(before, stampAttribute);
  return old.is === 'version' && old.o === marker.o && old.s === marker.s && compareValues(old.v, marker.v) === 0;
}
