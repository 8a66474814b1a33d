/**
 * Attribute values as plain JSON, without loss: a number becomes a JSON number only if a double holds it exactly as it stands, else its text; sets become
 * arrays, binary stays base64 text. (The usual unmarshalling rounds 38-digit numbers and throws on others.) Names are never assigned to, so an
 * attribute may be called `__proto__`.
 */
import type { AttributeValue, Item } from '../model/item.ts';
import { canonicalNumber } from '../model/key.ts';

export type PlainValue = string | number | boolean | null | readonly PlainValue[] | PlainItem;
export interface PlainItem {
  readonly [name: string]: PlainValue;
}

export function plainItem(item: Item): PlainItem {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plainValue(value)]));
}

export function plainValue(value: AttributeValue): PlainValue {
  if ('S' in value) return value.S;
  if ('N' in value) return plainNumber(value.N);
  if ('B' in value) return value.B;
  if ('BOOL' in value) return value.BOOL;
  if ('M' in value) return plainItem(value.M);
  if ('L' in value) return value.L.map(plainValue);
  if ('SS' in value) return value.SS;
  if ('NS' in value) return value.NS.map(plainNumber);
  if ('BS' in value) return value.BS;
  return null;
}

/** Whole numbers of up to 15 digits need no second look. */
const SMALL_WHOLE = /^-?[1-9]\d{0,14}$|^0$/;

function plainNumber(text: string): number | string {
  const number = Number(text);
  if (SMALL_WHOLE.test(text)) return number;
  return Number.isFinite(number) && canonicalNumber(String(number)) === canonicalNumber(text) ? number : text;
}
