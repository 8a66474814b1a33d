/**
 * The item's key as text: message key of Kafka, partition key of Kinesis. JSON of the plain key attributes, as Debezium writes its key payload; an item has
 * one text, for ever and from every process, so that all its changes go one way and log compaction finds them.
 */
import type { ChangeRecord } from '../model/change-record.ts';
import type { AttributeValue, Item } from '../model/item.ts';
import { canonicalNumber } from '../model/key.ts';
import { type PlainValue, plainValue } from './plain-values.ts';

/** What it takes of a record. */
export type Keyed = Pick<ChangeRecord, 'keys' | 'source'>;

/** `{"pk":"a","sk":1}`: the key's attributes in the order of the key, whatever order the stream gave them in. */
export function keyJson({ keys, source }: Keyed): string {
  return textOf(keys, source.keyNames);
}

/** `{"pk":"a"}`: what items of one item collection have in common. */
export function partitionKeyJson({ keys, source }: Keyed): string {
  return textOf(keys, source.keyNames.slice(0, 1));
}

function textOf(keys: Item, names: readonly string[]): string {
  return JSON.stringify(Object.fromEntries(names.map(name => [name, keyValue(keys, name)])));
}

/** `1`, `1.0` and `1e0` are one key, so they get one text. */
function keyValue(keys: Item, name: string): PlainValue {
  const value: AttributeValue | undefined = Object.hasOwn(keys, name) ? keys[name] : undefined;
  if (value === undefined) throw new Error(`key attribute ${JSON.stringify(name)} is missing`);
  const plain = plainValue(value);
  return 'N' in value && typeof plain === 'string' ? canonicalNumber(plain) : plain;
}
