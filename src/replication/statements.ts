/**
 * Writes as PartiQL statements, of which the service takes 25 in one call, each with its own condition. There is no upsert and no replacement of a whole
 * item: an INSERT fails where an item is, and an UPDATE carries the difference of two images, which makes the new one only on top of exactly the old one.
 * So both are a short cut for the common case, and whatever they refuse is written by a conditional put.
 */
import type { AttributeValue, Image, Item } from '../model/item.ts';
import type { KeyNames } from '../model/key.ts';
import type { Statement } from '../ports/table-api.ts';
import type { Stamp } from './stamp.ts';

export const STATEMENTS_PER_CALL = 25;
const LONGEST_STATEMENT = 8_192;
/** Names that need no thought about quoting; an item with any other is written by a put. */
const PLAIN_NAME = /^[\w.:#$@-]+$/;

/** Undefined when the item cannot be written so. */
export function insertStatement(table: string, item: Item): Statement | undefined {
  const entries = Object.entries(item);
  if (!entries.every(([name]) => PLAIN_NAME.test(name))) return undefined;
  const fields = entries.map(([name]) => `'${name}':?`).join();
  return statement(
    `INSERT INTO "${table}" VALUE {${fields}}`,
    entries.map(([, value]) => value),
  );
}

export interface Update {
  readonly table: string;
  readonly keyNames: KeyNames;
  readonly before: Image;
  /** With our stamp. */
  readonly after: Item;
  readonly stampAttribute: string;
  /** What stands in the replica is the image `before`, written by `p` with the stamp `s`. */
  readonly on: { readonly s: Stamp; readonly p: string };
}

/** Undefined when the change cannot be written so. */
export function updateStatement({ table, keyNames, before, after, stampAttribute, on }: Update): Statement | undefined {
  const changed = Object.entries(after).filter(([name, value]) => !(Object.hasOwn(before, name) && sameValue(before[name], value)));
  const gone = Object.keys(before).filter(name => !Object.hasOwn(after, name));
  const keys: (readonly [string, AttributeValue | undefined])[] = keyNames.map(name => [name, after[name]]);
  const names = [...changed.map(([name]) => name), ...gone, ...keyNames, stampAttribute];
  if (!names.every(name => PLAIN_NAME.test(name)) || changed.some(([name]) => keyNames.includes(name))) return undefined;
  const text = [
    `UPDATE "${table}"`,
    ...changed.map(([name]) => `SET "${name}"=?`),
    ...gone.map(name => `REMOVE "${name}"`),
    `WHERE ${keyNames.map(name => `"${name}"=?`).join(' AND ')} AND "${stampAttribute}"."s"=? AND "${stampAttribute}"."p"=?`,
  ].join(' ');
  const values = [...changed.map(([, value]) => value), ...keys.map(([, value]) => value), { S: on.s }, { S: on.p }];
  return values.some(value => value === undefined) ? undefined : statement(text, values as AttributeValue[]);
}

function statement(text: string, parameters: readonly AttributeValue[]): Statement | undefined {
  if (text.length > LONGEST_STATEMENT) return undefined;
  return { Statement: text, Parameters: parameters };
}

/** As the service wrote both; a value that only looks different is set once more, which does no harm. */
function sameValue(a: AttributeValue | undefined, b: AttributeValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
