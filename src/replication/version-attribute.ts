/**
 * The attribute by which an application says which of two states of an item is newer: a time or a counter that it raises with every write. What its kind
 * is must be known, because a removal has no new image to carry one: it is given the higher of the removed image's and the time of the removal.
 */

import { isoTime } from '../model/iso-time.ts';
import type { Image } from '../model/item.ts';
import type { EpochMs } from '../model/units.ts';
import { attributeOf, type VersionValue } from './marker.ts';
import { compareValues } from './order.ts';

export type VersionKind = 'epochMillis' | 'epochSeconds' | 'text' | 'counter';

export interface VersionAttribute {
  readonly name: string;
  readonly kind: VersionKind;
  /** What an item without it means. */
  readonly missing: 'reject' | 'lowest';
  /** A version further in the future than this would freeze its key. */
  readonly maxAheadSeconds: number;
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d+))?Z$/;

/** The version of an image, or why it has none that can be used. `undefined` value: it has none, and that is allowed. */
export function versionOf(
  image: Image,
  attribute: VersionAttribute,
): { readonly value: VersionValue | undefined } | { readonly refused: string } {
  const value = attributeOf(image, attribute.name);
  const name = JSON.stringify(attribute.name);
  if (value === undefined) {
    return attribute.missing === 'lowest'
      ? { value: undefined }
      : { refused: `the item has no version attribute ${name} (versionMissing: lowest would take it as the oldest)` };
  }
  if (attribute.kind === 'text' ? 'S' in value : 'N' in value) return { value: value as VersionValue };
  const wanted = attribute.kind === 'text' ? 'a string' : 'a number';
  return { refused: `the version attribute ${name} is of type ${Object.keys(value)[0]}; versionKind: ${attribute.kind} needs ${wanted}` };
}

/** Of the removal of an item whose last version was `value`. */
export function removalValue(value: VersionValue | undefined, removedAt: EpochMs, kind: VersionKind): VersionValue | undefined {
  const time = timeValue(removedAt, kind, value);
  return compareValues(time, value) > 0 ? time : value;
}

/** Why a version lies too far in the future, if it does. */
export function tooFarAhead(value: VersionValue | undefined, now: EpochMs, attribute: VersionAttribute): string | undefined {
  const limit = timeValue(now + attribute.maxAheadSeconds * 1000, attribute.kind, value);
  if (limit === undefined || compareValues(value, limit) <= 0) return undefined;
  return `its version is more than ${attribute.maxAheadSeconds} s in the future (maxAheadSeconds): it would refuse every later change of the item`;
}

/** A time in the attribute's own unit; undefined where the attribute is no time. */
function timeValue(at: EpochMs, kind: VersionKind, like: VersionValue | undefined): VersionValue | undefined {
  if (kind === 'epochMillis') return { N: String(Math.floor(at)) };
  if (kind === 'epochSeconds') return { N: String(Math.floor(at / 1000)) };
  if (kind === 'counter' || like === undefined || !('S' in like)) return undefined;
  const iso = ISO_TIME.exec(like.S);
  return iso ? { S: isoTime(at, iso[1]?.length ?? 0) } : undefined;
}
