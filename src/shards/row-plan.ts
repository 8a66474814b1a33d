/**
 * Which lease rows a stream should have, as pure functions of a full listing and of the rows that stand: rows to make, ancestors first; rows whose
 * shard is gone; rows that nobody will need again.
 */
import type { EpochMs, Ms } from '../model/units.ts';
import { type LeaseRow, leaseKey, type NewLease, partsOfLeaseKey } from '../ports/lease-store.ts';
import type { ShardListing } from '../ports/stream-api.ts';
import type { SinkPositions } from './sink-positions.ts';

/** Ended rows stay for so long at least: a shard may be listed for longer than its records live. */
export const ENDED_ROWS_MS: Ms = 26 * 3_600_000;

export function newLease(streamArn: string, shard: ShardListing): NewLease {
  return {
    key: leaseKey(streamArn, shard.shardId),
    parents: shard.parentShardId === undefined ? [] : [shard.parentShardId],
    checkpoint: 'TRIM_HORIZON',
    ...(shard.startingToken !== undefined && { startingToken: shard.startingToken }),
  };
}

/**
 * Rows that are missing, ancestors first, so that no child is ever without its parent. None for a shard that every enabled sink has passed: its row
 * was collected, or deleted by others, and making it again would read it again.
 */
export function missingRows(streamArn: string, shards: readonly ShardListing[], positions: SinkPositions): readonly NewLease[] {
  // As a rule none is, and of thousands of shards the rest takes long.
  if (shards.every(({ shardId }) => positions.rows.has(shardId))) return [];
  const listed = new Map(shards.map(shard => [shard.shardId, shard]));
  const passed = passedShards(shards, positions);
  const made = new Set<string>();
  const rows: NewLease[] = [];
  const make = (shard: ShardListing): void => {
    const chain: ShardListing[] = [];
    for (let at: ShardListing | undefined = shard; at !== undefined && !made.has(at.shardId); at = parentOf(at, listed)) {
      made.add(at.shardId);
      chain.push(at);
    }
    for (const one of chain.reverse()) {
      if (!positions.rows.has(one.shardId) && !passed.has(one.shardId)) rows.push(newLease(streamArn, one));
    }
  };
  for (const shard of shards) make(shard);
  return rows;
}

function parentOf(shard: ShardListing, listed: ReadonlyMap<string, ShardListing>): ShardListing | undefined {
  return shard.parentShardId === undefined ? undefined : listed.get(shard.parentShardId);
}

/** Shards without a row of which every enabled sink has begun a descendant, or which an application had left behind. */
function passedShards(shards: readonly ShardListing[], positions: SinkPositions): ReadonlySet<string> {
  const children = new Map<string, string[]>();
  const link = (parent: string, child: string) => children.set(parent, [...(children.get(parent) ?? []), child]);
  for (const shard of shards) if (shard.parentShardId !== undefined) link(shard.parentShardId, shard.shardId);
  for (const [shardId, row] of positions.rows) for (const parent of row.parents) link(parent, shardId);
  const known = new Map<string, boolean>();
  const isPassed = (shardId: string, sink: SinkPositions['sinks'][number]): boolean => {
    const memo = `${sink.key}\n${shardId}`;
    const before = known.get(memo);
    if (before !== undefined) return before;
    known.set(memo, false);
    const passed =
      positions.wasLeftBehind(shardId, sink) ||
      (children.get(shardId) ?? []).some(child => {
        const row = positions.rows.get(child);
        return row === undefined ? isPassed(child, sink) : positions.hasBegun(row, sink);
      });
    known.set(memo, passed);
    return passed;
  };
  const { sinks } = positions;
  const without = shards.filter(shard => !positions.rows.has(shard.shardId));
  return new Set(
    without.filter(shard => sinks.length > 0 && sinks.every(sink => isPassed(shard.shardId, sink))).map(shard => shard.shardId),
  );
}

/** Leaves of a listing: shards without a listed child. */
export function leavesOf(shards: readonly ShardListing[]): readonly string[] {
  const parents = new Set(shards.map(shard => shard.parentShardId));
  return shards.filter(shard => !parents.has(shard.shardId)).map(shard => shard.shardId);
}

/** Roots of a listing: shards without a listed parent. */
export function rootsOf(shards: readonly ShardListing[]): readonly string[] {
  const listed = new Set(shards.map(shard => shard.shardId));
  return shards.filter(shard => shard.parentShardId === undefined || !listed.has(shard.parentShardId)).map(shard => shard.shardId);
}

/**
 * Rows to delete: ended long ago, no longer listed, every child past its start for every enabled sink or itself collected. The owner of an ended row
 * is dead or about to let go, and the delete is conditional on what was seen.
 */
export function collectable(positions: SinkPositions, listed: ReadonlySet<string>, now: EpochMs): readonly LeaseRow[] {
  return [...positions.rows.values()].filter(row => {
    const { shardId } = partsOfLeaseKey(row.key);
    if (row.owner !== undefined || row.checkpoint !== 'SHARD_END' || row.endedAt === undefined) return false;
    if (now - row.endedAt < ENDED_ROWS_MS || listed.has(shardId)) return false;
    return row.children.every(child => {
      const childRow = positions.rows.get(child);
      return childRow === undefined || positions.sinks.every(sink => positions.hasBegun(childRow, sink));
    });
  });
}
