/** An item's key as other systems are given it. */
import type { ChangeRecord } from '../model/change-record.ts';
import type { Item } from '../model/item.ts';
import { plainJson } from './plain-json.ts';

/** `{"pk":"a","sk":1}`: the key's attributes in the order of the key, whatever order the stream gave them in. */
export function keyJson(record: ChangeRecord): string {
  const { keyNames } = record.source;
  const ordered: Item = Object.fromEntries(keyNames.flatMap(name => entryOf(record.keys, name)));
  return plainJson(ordered);
}

function entryOf(keys: Item, name: string): [string, NonNullable<Item[string]>][] {
  const value = keys[name];
  return value === undefined ? [] : [[name, value]];
}
