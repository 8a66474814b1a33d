/**
 * Lease rows: who may read a shard, and how far every sink has come in it. A row has the Kinesis Client Library's attributes, so that its owner may
 * change hands with a KCL application; what that library does not know stands in further attributes. Every call is one attempt: what to do about an
 * answer that did not come is decided by whoever holds the lease (shards/held-lease.ts).
 */
import type { Position, Token } from '../model/position.ts';
import type { EpochMs } from '../model/units.ts';

/** `<stream ARN>:<shard id>`; a shard id has no colon. */
export type LeaseKey = string;

/** What a row says of a shard whatever happens to it. */
export interface NewLease {
  readonly key: LeaseKey;
  /** Shard ids. */
  readonly parents: readonly string[];
  /** The shard's first sequence number. */
  readonly startingToken?: Token;
  /** KCL's text: a sentinel or the last number that every enabled sink has finished. Written for others to read. */
  readonly checkpoint: string;
}

export interface LeaseRow extends NewLease {
  /** Absent when nobody owns it. */
  readonly owner?: string;
  /** Goes up by one with every write: the fence. */
  readonly counter: number;
  readonly ownerSwitches: number;
  /** Shard ids, known since the shard ended. */
  readonly children: readonly string[];
  /** By `<pipeline>/<sink>`, sinks that are gone or disabled included. */
  readonly positions: ReadonlyMap<string, Position>;
  /** What the last taker wrote to know its own write by. */
  readonly nonce?: string;
  /** The owner before this one. */
  readonly lastOwner?: string;
  /** Who gave it to its owner, until that one takes it. */
  readonly handoffFrom?: string;
  /** When the row became SHARD_END, by its owner's clock. */
  readonly endedAt?: EpochMs;
}

/** What a write changes; whatever is not named stays. */
export interface LeaseChange {
  /** Null: nobody. */
  readonly owner?: string | null;
  /** A write that names an owner and not this drops what stood here. */
  readonly handoffFrom?: string;
  readonly nonce?: string;
  /** All positions of the row, also those that stay. */
  readonly positions?: ReadonlyMap<string, Position>;
  readonly checkpoint?: string;
  readonly children?: readonly string[];
  /** Null: it has not ended after all (a sink came late). */
  readonly endedAt?: EpochMs | null;
}

/** `refused`: owner or counter were not as seen; with the row as it is, where there is one. */
export type LeaseAnswer = { readonly is: 'written'; readonly row: LeaseRow } | { readonly is: 'refused'; readonly row?: LeaseRow };

export interface LeaseStore {
  /** Makes the table where that is wanted, and waits until it answers. */
  prepare(signal: AbortSignal): Promise<void>;
  /** All rows, consistently, page by page. Rows of other kinds that KCL keeps in the same table are left out. */
  scan(signal: AbortSignal): Promise<readonly LeaseRow[]>;
  read(key: LeaseKey, signal: AbortSignal): Promise<LeaseRow | undefined>;
  /** Unowned, counter 0, no positions. */
  create(row: NewLease, signal: AbortSignal): Promise<'created' | 'exists'>;
  /** Holds only if owner and counter are as in `seen`; the counter goes up by one. The same arguments give the same bytes. */
  write(seen: LeaseRow, change: LeaseChange, signal: AbortSignal): Promise<LeaseAnswer>;
  /** Holds only if owner, counter and checkpoint are as in `seen`. */
  remove(seen: LeaseRow, signal: AbortSignal): Promise<'removed' | 'refused'>;
}

export function leaseKey(streamArn: string, shardId: string): LeaseKey {
  return `${streamArn}:${shardId}`;
}

export function partsOfLeaseKey(key: LeaseKey): { readonly streamArn: string; readonly shardId: string } {
  const colon = key.lastIndexOf(':');
  return { streamArn: key.slice(0, Math.max(0, colon)), shardId: key.slice(colon + 1) };
}
