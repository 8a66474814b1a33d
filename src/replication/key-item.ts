/** The way back from a key's canonical text to its attributes, for those who are asked for items by key. */
import type { AttributeValue, Item } from '../model/item.ts';
import type { Key, KeyNames } from '../model/key.ts';

/** Inverse of `keyOf`; a number may be written otherwise than it was, and is the same number. */
export function keyItem(key: Key, names: KeyNames): Item {
  const [hashName, rangeName] = names;
  if (rangeName === undefined) return Object.fromEntries([[hashName, keyValue(key)]]);
  const length = /^(\d+):/.exec(key);
  if (!length) throw new Error(`not the key of a table with two key attributes: ${JSON.stringify(key)}`);
  const from = length[0].length;
  const to = from + Number(length[1]);
  return Object.fromEntries([
    [hashName, keyValue(key.slice(from, to))],
    [rangeName, keyValue(key.slice(to))],
  ]);
}

function keyValue(part: string): AttributeValue {
  const text = part.slice(1);
  if (part.startsWith('S')) return { S: text };
  if (part.startsWith('N')) return { N: text };
  if (part.startsWith('B')) return { B: text };
  throw new Error(`not part of a key: ${JSON.stringify(part)}`);
}
