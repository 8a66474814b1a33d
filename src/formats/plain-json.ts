/**
 * Plain JSON of DynamoDB values without loss: a number becomes a JSON number only if a double holds exactly that number, else text; sets become lists,
 * binary stays base64 text. It is written as text, never built as objects, so no attribute name can do harm.
 */
import type { AttributeValue, Item } from '../model/item.ts';
import { canonicalNumber } from '../model/key.ts';

export function plainJson(item: Item): string {
  const members = Object.keys(item).map(name => `${JSON.stringify(name)}:${plainValue(item[name])}`);
  return `{${members.join(',')}}`;
}

function plainValue(value: AttributeValue | undefined): string {
  if (value === undefined) return 'null';
  if ('S' in value) return JSON.stringify(value.S);
  if ('N' in value) return plainNumber(value.N);
  if ('B' in value) return JSON.stringify(value.B);
  if ('BOOL' in value) return String(value.BOOL);
  if ('M' in value) return plainJson(value.M);
  if ('L' in value) return list(value.L, plainValue);
  if ('SS' in value) return list(value.SS, text => JSON.stringify(text));
  if ('NS' in value) return list(value.NS, plainNumber);
  if ('BS' in value) return list(value.BS, text => JSON.stringify(text));
  return 'null';
}

const list = <T>(values: readonly T[], each: (value: T) => string): string => `[${values.map(each).join(',')}]`;

/** The digits as they came where a double reads them back as the same number. */
function plainNumber(text: string): string {
  const double = Number(text);
  const exact = Number.isFinite(double) && canonicalNumber(String(double)) === canonicalNumber(text);
  return exact ? JSON.stringify(double) : JSON.stringify(text);
}
