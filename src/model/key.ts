/**
 * The canonical text of an item's full primary key: the unit of order. It is injective (`(a,b)` is not `(ab,)`), and one number has one text however
 * it was written (`1`, `1.0` and `1e0` are one key, as they are one item to DynamoDB).
 */
import type { AttributeValue, Item } from './item.ts';

export type Key = string;

/** Names of the hash attribute and, if the table has one, of the range attribute. */
export type KeyNames = readonly [string] | readonly [string, string];

/** Throws when a key attribute is missing or of a type that cannot be a key: that is our mistake or a broken source, never a record's. */
export function keyOf(keys: Item, names: KeyNames): Key {
  const hash = part(keys, names[0]);
  if (names.length === 1) return hash;
  return `${hash.length}:${hash}${part(keys, names[1])}`;
}

function part(keys: Item, name: string): string {
  const value: AttributeValue | undefined = keys[name];
  if (value !== undefined) {
    if ('S' in value) return `S${value.S}`;
    if ('N' in value) return `N${canonicalNumber(value.N)}`;
    if ('B' in value) return `B${value.B}`;
  }
  throw new Error(`key attribute ${JSON.stringify(name)} is missing or is not a string, number or binary`);
}

/** One text per number: no sign on zero, no leading or trailing zeros, `digits` or `digits`e`exponent` of the last digit. */
export function canonicalNumber(text: string): string {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match) throw new Error(`not a number: ${JSON.stringify(text)}`);
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  if (trimmed === '') return '0';
  const power = Number(exponent) - fraction.length + (digits.length - trimmed.length);
  return `${sign === '-' ? '-' : ''}${trimmed}${power === 0 ? '' : `e${power}`}`;
}
