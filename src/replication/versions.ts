/**
 * Versions of a key, and what a set of rules must answer. A mode of replication is one such set: it reads a change, gives it a version, and says under
 * which conditions that version may replace what stands in the replica. The connector obeys it; nothing here does I/O.
 */
import type { ChangeRecord } from '../model/change-record.ts';
import type { AttributeValue, Image, Item } from '../model/item.ts';
import type { KeyNames } from '../model/key.ts';
import type { EpochMs } from '../model/units.ts';
import type { VersionValue } from './marker.ts';
import type { Stamp } from './stamp.ts';

/** Mode mirror knows only the stamp and who wrote it; mode version knows the application's version and where it was made. */
export interface Version {
  readonly s: Stamp;
  /** Of mode mirror: the service and pipeline. */
  readonly p?: string;
  /** Of mode version: the region where the change was made, and the application's version; absent: the item has none, which is the lowest. */
  readonly o?: string;
  readonly v?: VersionValue | undefined;
  readonly removed: boolean;
}

/** As the service takes it in a write. */
export interface Condition {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, AttributeValue>>;
}

export type Reading =
  /** `image`: the item without our attribute. */
  | { readonly is: 'put'; readonly version: Version; readonly image: Image }
  | { readonly is: 'remove'; readonly version: Version }
  /** Our own write, seen in the stream of the table that we wrote it to. */
  | { readonly is: 'ours' }
  | { readonly is: 'refused'; readonly reason: string };

/** What stands in the replica, seen from a version that was not let in. `rival`: newer, and written by another than the writer of this version. */
export type Standing = 'nothing' | 'same' | 'newer' | 'rival' | 'foreign';

export interface Rules {
  read(record: ChangeRecord, now: EpochMs): Reading;
  /** Of two changes of one key: negative when `a` is older. */
  compare(a: Version, b: Version): number;
  /** The item as it is written, and the image as it was before. */
  marked(image: Image, version: Version): Item;
  unmarked(item: Item): Image;
  /** When a put may replace what is there. */
  putIf(version: Version, keyNames: KeyNames): Condition;
  /** When what is there may be removed. */
  removeIf(version: Version): Condition;
  /** When it may be removed once more, long after: only what a late put of ours can have left there. */
  removeAgainIf(version: Version): Condition;
  /** What a tombstone says of the removal. */
  tombstoneFields(version: Version): Item;
  /** When it may replace the tombstone that is there: only upwards. */
  tombstoneIf(version: Version): Condition;
  /** When no tombstone stands against a put. */
  noTombstoneIf(version: Version): Condition;
  standing(version: Version, item: Item | undefined): Standing;
}
