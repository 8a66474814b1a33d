/**
 * What a full listing of a stream says of its shards, as pure functions: whether one is still written to, has closed, or is gone. A listing is in no
 * promised order and may lag behind the truth, so nothing here relies on more than what it shows. Which rows follow from a listing is decided in
 * row-plan.ts, which sinks may start where in sink-positions.ts.
 */
import type { EpochMs } from '../model/units.ts';
import type { ShardListing, StreamDescription } from '../ports/stream-api.ts';

export interface ShardStanding {
  /**
   * `closed`: nothing will be added to it, so an iterator without a next one was its end. `gone`: trimmed as a whole. `stream-gone`: and so is
   * everything else of it.
   */
  readonly is: 'open' | 'closed' | 'gone' | 'stream-gone';
  /** By the server's date. */
  readonly servedAt: EpochMs;
}

/** `description` is a full listing taken after the question arose; undefined when the stream was not there any more. */
export function shardStanding(
  description: Pick<StreamDescription, 'status' | 'shards' | 'servedAt'> | undefined,
  shardId: string,
  now: EpochMs,
): ShardStanding {
  if (description === undefined) return { is: 'stream-gone', servedAt: now };
  const { status, shards, servedAt } = description;
  const shard = shards.find(one => one.shardId === shardId);
  // While a stream is being enabled it lists nothing, and that says nothing.
  if (shard === undefined) return { is: status === 'ENABLING' ? 'open' : 'gone', servedAt };
  const closed = shard.endingToken !== undefined || status === 'DISABLED' || shards.some(one => one.parentShardId === shardId);
  return { is: closed ? 'closed' : 'open', servedAt };
}

/**
 * Shards that are surely closed: their children are listed, or the stream is disabled. An ending number alone is not enough (a local server shows one
 * on an open shard), and an open shard that has children already is still to be read (it ends by itself).
 */
export function closedShards({ status, shards }: Pick<StreamDescription, 'status' | 'shards'>): ReadonlySet<string> {
  const parents = new Set(shards.map(shard => shard.parentShardId));
  const isClosed = (shard: ShardListing) => status === 'DISABLED' || (shard.endingToken !== undefined && parents.has(shard.shardId));
  return new Set(shards.filter(isClosed).map(shard => shard.shardId));
}

/** The parent of each listed shard, as a list. */
export function parentsListed(shards: readonly ShardListing[]): ReadonlyMap<string, readonly string[]> {
  return new Map(shards.map(({ shardId, parentShardId }) => [shardId, parentShardId === undefined ? [] : [parentShardId]]));
}

/** All that come before these shards, as far as `parentsOf` knows. One of them is among them only if it comes before another. */
export function ancestorsOf(shards: Iterable<string>, parentsOf: (shardId: string) => readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const queue = [...shards];
  for (let shard = queue.pop(); shard !== undefined; shard = queue.pop()) {
    for (const parent of parentsOf(shard)) {
      if (found.has(parent)) continue;
      found.add(parent);
      queue.push(parent);
    }
  }
  return found;
}
