/** Reads the replica's items by key, consistently, as the source has them: without our stamp. */
import { SinkFault } from '../../src/connector.ts';
import type { Image, Item } from '../../src/model/item.ts';
import { type Key, type KeyNames, keyOf } from '../../src/model/key.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { keyItem } from '../../src/replication/key-item.ts';

const KEYS_PER_CALL = 100;

export interface Lookup {
  readonly api: TableApi;
  readonly table: string;
  readonly keyNames: KeyNames;
  readonly unmarked: (item: Item) => Image;
}

export async function lookUp(keys: readonly Key[], lookup: Lookup, signal: AbortSignal): Promise<(Image | undefined)[]> {
  const found = new Map<Key, Image>();
  const distinct = [...new Set(keys)];
  for (let from = 0; from < distinct.length; from += KEYS_PER_CALL) {
    await readAll(distinct.slice(from, from + KEYS_PER_CALL), found, { lookup, signal });
  }
  return keys.map(key => found.get(key));
}

/** An answer holds at most 16 MB: what it leaves out is asked again, for as long as each answer brings something. */
async function readAll(
  keys: readonly Key[],
  found: Map<Key, Image>,
  { lookup, signal }: { lookup: Lookup; signal: AbortSignal },
): Promise<void> {
  const { api, table, keyNames, unmarked } = lookup;
  let left: readonly Item[] = keys.map(key => keyItem(key, keyNames));
  while (left.length > 0) {
    const RequestItems = Object.fromEntries([[table, { Keys: left, ConsistentRead: true }]]);
    const { Responses, UnprocessedKeys } = await api.call('BatchGetItem', { RequestItems }, signal);
    for (const item of Responses[table] ?? []) found.set(keyOf(item, keyNames), unmarked(item));
    const still = UnprocessedKeys?.[table]?.Keys ?? [];
    if (still.length >= left.length) throw new SinkFault('retry', `dynamodb:BatchGetItem on table ${table} read nothing: it is throttled`);
    left = still;
  }
}
