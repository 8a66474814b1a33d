/**
 * What is left of a removed key: a row in a side table of the replica's region that says which version removed it, so that an older put that comes late
 * finds something to compare with. It is kept for `tombstoneDays` by DynamoDB's time to live. A row also carries the time when the removal is to be
 * done once more (`againAt`): a put that was given up unanswered can still land some minutes later, on the key that a removal has emptied.
 */
import { hash } from 'node:crypto';
import type { Item } from '../model/item.ts';
import type { Key } from '../model/key.ts';
import type { EpochMs, Ms } from '../model/units.ts';
import { attributeOf, textOf } from './marker.ts';
import type { Version } from './versions.ts';

/** A request is refused by the service 5 minutes after it was signed; the rest is for clocks and for waiting in between. */
export const AGAIN_MS: Ms = 15 * 60_000;

/** The hash attribute of the tombstone table. */
export const TOMBSTONE_KEY = 'key';
/** Its time to live, epoch seconds. */
export const TOMBSTONE_EXPIRES = 'expires';
export const TOMBSTONE_AGAIN = 'againAt';

const DAY_SECONDS = 86_400;

export interface Tombstone {
  readonly key: string;
  /** The table that the item was removed from, and its key there. */
  readonly table: string;
  readonly keys: Item;
  readonly version: Version;
  readonly againAt?: EpochMs | undefined;
}

/** Hash of table and canonical key: a key may be longer than a hash attribute can be. */
export function tombstoneKey(table: string, key: Key): string {
  return hash('sha256', `${table.length}:${table}${key}`, 'base64url');
}

export interface TombstoneLife {
  readonly now: EpochMs;
  readonly days: number;
  readonly againAt: EpochMs | undefined;
}

/** The row as it is written. `fields`: what the mode's rules say of the version. */
export function tombstoneRow(place: Pick<Tombstone, 'key' | 'table' | 'keys'>, fields: Item, life: TombstoneLife): Item {
  const expires = Math.ceil(life.now / 1000) + Math.ceil(life.days * DAY_SECONDS);
  return {
    ...fields,
    [TOMBSTONE_KEY]: { S: place.key },
    table: { S: place.table },
    keys: { M: place.keys },
    [TOMBSTONE_EXPIRES]: { N: String(expires) },
    ...(life.againAt !== undefined && { [TOMBSTONE_AGAIN]: { N: String(life.againAt) } }),
  };
}

/** Undefined when the row is not of our making. */
export function readTombstone(row: Item): Tombstone | undefined {
  const [key, table, s, p, o] = ['key', 'table', 's', 'p', 'o'].map(name => textOf(row, name));
  const keys = attributeOf(row, 'keys');
  if (key === undefined || table === undefined || s === undefined || keys === undefined || !('M' in keys)) return undefined;
  const v = attributeOf(row, 'v');
  const again = attributeOf(row, TOMBSTONE_AGAIN);
  return {
    key,
    table,
    keys: keys.M,
    version: {
      s,
      removed: true,
      ...(p !== undefined && { p }),
      ...(o !== undefined && { o }),
      ...(v !== undefined && ('N' in v || 'S' in v) && { v }),
    },
    ...(again !== undefined && 'N' in again && { againAt: Number(again.N) }),
  };
}
