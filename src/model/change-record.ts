/**
 * One item-level change, as every part of the house sees it. It is decoded once by the adapter that read it and then passed along as the same
 * object; nobody copies or changes it. What all records of a reader have in common hangs on one shared `source`.
 */
import type { Item } from './item.ts';
import type { Key, KeyNames } from './key.ts';
import type { Token } from './position.ts';
import type { EpochMs, PartitionId } from './units.ts';

export type ChangeKind = 'insert' | 'modify' | 'remove';
export type ViewType = 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES';

/** Where a record came from: the live stream, or one of the jobs around it. */
export type Origin = 'stream' | 'snapshot' | 'replay' | 'redrive' | 'repair';

export interface Source {
  readonly origin: Origin;
  readonly table: string;
  readonly region: string;
  readonly streamArn: string;
  /** From the stream's label. Sequence numbers of two streams of one table cannot be compared; this can. */
  readonly streamCreatedAt: EpochMs;
  readonly viewType: ViewType;
  readonly keyNames: KeyNames;
  /** The shard's id for records of a stream. */
  readonly partition: PartitionId;
}

export interface UserIdentity {
  readonly type: string;
  readonly principalId: string;
}

export interface ChangeRecord {
  readonly source: Source;
  readonly kind: ChangeKind;
  readonly key: Key;
  /** The key attributes. */
  readonly keys: Item;
  /** Absent when there was no item, or when the stream's view type does not carry it. */
  readonly before?: Item;
  readonly after?: Item;
  /** The sequence number. */
  readonly token: Token;
  /** When the change was made; a stream cuts it to the second (a local server to the minute). Never order by it. */
  readonly changedAt: EpochMs;
  readonly eventId: string;
  /** `eventName` as it came, for formats that show it. */
  readonly eventName: string;
  readonly eventVersion: string;
  /** Of a removal by time to live: type `Service`, principal `dynamodb.amazonaws.com`. */
  readonly userIdentity?: UserIdentity;
  /** DynamoDB's own `SizeBytes`. */
  readonly sizeBytes: number;
  /** Bytes of this record on the wire: what memory budgets and windows count. */
  readonly bytes: number;
}

/** Whether DynamoDB's time-to-live removed the item (a removal that a global table replicated from another region does not say so). */
export function isTtlDelete(record: ChangeRecord): boolean {
  return (
    record.kind === 'remove' && record.userIdentity?.type === 'Service' && record.userIdentity.principalId === 'dynamodb.amazonaws.com'
  );
}
