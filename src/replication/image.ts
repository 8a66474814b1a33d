/**
 * What counts as the same image, how large an item is, and a short fingerprint to know an image by. Numbers are compared by value (`1.0` is `1`), sets and
 * maps without order, lists with it; the replicator's own attribute is taken out by whoever compares.
 */
import { hash } from 'node:crypto';
import type { AttributeValue, Image, Item } from '../model/item.ts';
import { canonicalNumber } from '../model/key.ts';

/** DynamoDB's limit of an item, names included. */
export const ITEM_LIMIT_BYTES = 409_600;

export function sameImage(a: Image | undefined, b: Image | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return canonicalImage(a) === canonicalImage(b);
}

/** One text per image, whatever order its attributes and sets came in and however its numbers were written. */
export function canonicalImage(image: Image): string {
  const parts = Object.entries(image).map(([name, value]) => `${JSON.stringify(name)}:${canonicalValue(value)}`);
  return `{${parts.sort().join()}}`;
}

function canonicalValue(value: AttributeValue): string {
  if ('S' in value) return JSON.stringify(value.S);
  if ('N' in value) return canonicalNumber(value.N);
  if ('B' in value) return `b${JSON.stringify(value.B)}`;
  if ('BOOL' in value) return String(value.BOOL);
  if ('NULL' in value) return 'null';
  if ('M' in value) return canonicalImage(value.M);
  if ('L' in value) return `[${value.L.map(canonicalValue).join()}]`;
  if ('SS' in value)
    return `ss(${value.SS.map(text => JSON.stringify(text))
      .sort()
      .join()})`;
  if ('NS' in value) return `ns(${value.NS.map(canonicalNumber).sort().join()})`;
  return `bs(${value.BS.map(text => JSON.stringify(text))
    .sort()
    .join()})`;
}

/** Equal for images that came equal from the service, whatever the order of their attributes; unequal ones may be the same image written otherwise. */
export function fingerprint(image: Image): string {
  const names = Object.keys(image).sort();
  return hash('sha1', names.map(name => `${JSON.stringify(name)}:${JSON.stringify(image[name])}`).join(), 'base64');
}

/** As DynamoDB counts an item; numbers are an estimate, high by a byte or two. */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

function valueBytes(value: AttributeValue): number {
  if ('S' in value) return Buffer.byteLength(value.S);
  if ('N' in value) return numberBytes(value.N);
  if ('B' in value) return Buffer.byteLength(value.B, 'base64');
  if ('M' in value) return 3 + Object.keys(value.M).length + itemBytes(value.M);
  if ('L' in value) return 3 + value.L.reduce((sum, each) => sum + 1 + valueBytes(each), 0);
  if ('SS' in value) return value.SS.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if ('NS' in value) return value.NS.reduce((sum, text) => sum + numberBytes(text), 0);
  if ('BS' in value) return value.BS.reduce((sum, text) => sum + Buffer.byteLength(text, 'base64'), 0);
  return 1;
}

/** A byte for each two digits and one more, and another for a minus. */
function numberBytes(text: string): number {
  const canonical = canonicalNumber(text);
  const digits = canonical.replace(/^-/, '').replace(/e.*$/, '').length;
  return Math.ceil(digits / 2) + 1 + (canonical.startsWith('-') ? 1 : 0);
}
