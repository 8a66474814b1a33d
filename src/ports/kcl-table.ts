/**
 * The lease table of an application of the Kinesis Client Library, as it was left: what a takeover must know of its rows before they are leases of ours.
 * All versions from 1.x to 3.5 are one thing here: kinds of rows and tables that only some of them have are sorted out by whoever reads the table.
 */
import type { Position } from '../model/position.ts';
import type { EpochMs } from '../model/units.ts';

export interface KclLease {
  /** As in the table. */
  readonly key: string;
  readonly shardId: string;
  /**
   * What the key names beside the shard: `shard`: nothing, the table is of one stream; `stream`: which of several streams; `native`: our own table, not
   * one of that library; `other`: something that is no stream of DynamoDB.
   */
  readonly names: 'shard' | 'stream' | 'native' | 'other';
  /** The stream that the key names, or that was written into the row when it was taken over. */
  readonly streamArn?: string;
  readonly owner?: string;
  /** Who still works on a shard that is being handed to `owner` (3.x). */
  readonly checkpointOwner?: string;
  readonly counter: number;
  readonly checkpoint: string;
  readonly parents: readonly string[];
  /** Of our sinks, from an earlier takeover. */
  readonly positions: ReadonlyMap<string, Position>;
  /** Nobody else has written to it since we did. */
  readonly isOurs: boolean;
}

export interface KclLook {
  readonly leases: readonly KclLease[];
  /** Workers that report their load (3.x), and when they last did by their own clocks. */
  readonly workers: readonly { readonly worker: string; readonly reportedAt: EpochMs }[];
  /** Changes with each heartbeat of the leading worker (3.x). */
  readonly leader?: { readonly worker: string; readonly version: string };
}

/** What a takeover writes: the owner goes, the stream is written down, positions of sinks are added to those that stand. */
export interface Adoption {
  readonly streamArn: string;
  readonly positions: ReadonlyMap<string, Position>;
  /** Of a row that has ended. */
  readonly endedAt?: EpochMs;
}

export interface KclTable {
  /** The table's name, which is the application's. */
  readonly name: string;
  /** `other`: there is a table of that name, but not with a lease table's key. */
  check(signal: AbortSignal): Promise<'there' | 'missing' | 'other'>;
  /** Everything, consistently. */
  look(signal: AbortSignal): Promise<KclLook>;
  /** Holds only if the row is as it was seen. */
  adopt(seen: KclLease, adoption: Adoption, signal: AbortSignal): Promise<'adopted' | 'refused'>;
}
