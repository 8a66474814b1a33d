/**
 * The attribute that the replicator adds to an item of a replica (`_tm` unless it is named otherwise): who wrote the item and which change it is. It
 * is a map, so that it can grow. Anything else under that name belongs to somebody else and is never overwritten.
 */
import type { AttributeValue, Image, Item } from '../model/item.ts';
import { isStamp, type Stamp } from './stamp.ts';

/** The application's version of an item: a number or a text that sorts. */
export type VersionValue = { readonly N: string } | { readonly S: string };

export type Marker =
  | { readonly is: 'absent' | 'foreign' }
  /** Mode mirror: the stamp, and the service and pipeline that wrote it. */
  | { readonly is: 'mirror'; readonly s: Stamp; readonly p: string }
  /** Mode version: where it was written first, with which version (absent: it had none), and its stamp there. */
  | { readonly is: 'version'; readonly o: string; readonly v?: VersionValue; readonly s: Stamp };

/** An attribute by name, also when the name is one that every JavaScript object inherits. */
export function attributeOf(item: Item, name: string): AttributeValue | undefined {
  return Object.hasOwn(item, name) ? item[name] : undefined;
}

export function markerOf(item: Item, attribute: string): Marker {
  const value = attributeOf(item, attribute);
  if (value === undefined) return { is: 'absent' };
  if (!('M' in value)) return { is: 'foreign' };
  const [s, p, o] = [textOf(value.M, 's'), textOf(value.M, 'p'), textOf(value.M, 'o')];
  if (s === undefined || !isStamp(s)) return { is: 'foreign' };
  if (p !== undefined) return { is: 'mirror', s, p };
  if (o === undefined) return { is: 'foreign' };
  const v = attributeOf(value.M, 'v');
  if (v === undefined) return { is: 'version', o, s };
  return 'N' in v || 'S' in v ? { is: 'version', o, v, s } : { is: 'foreign' };
}

export function mirrorMarker(s: Stamp, p: string): AttributeValue {
  return { M: { s: { S: s }, p: { S: p } } };
}

export function versionMarker(o: string, s: Stamp, v: VersionValue | undefined): AttributeValue {
  return { M: { o: { S: o }, s: { S: s }, ...(v && { v }) } };
}

/** The item without our attribute. The same object when it has none. */
export function unmarked(item: Item, attribute: string): Image {
  if (!Object.hasOwn(item, attribute)) return item;
  return Object.fromEntries(Object.entries(item).filter(([name]) => name !== attribute));
}

export function textOf(item: Item, name: string): string | undefined {
  const value = attributeOf(item, name);
  return value !== undefined && 'S' in value ? value.S : undefined;
}
