/** Opens the reader of one shard, with what its stream's listings and its row say of it. */
import type { Source } from '../model/change-record.ts';
import type { EpochMs } from '../model/units.ts';
import type { LeaseRow } from '../ports/lease-store.ts';
import type { Log } from '../ports/log.ts';
import type { PartitionLabels } from '../ports/observer.ts';
import type { Reader } from '../ports/reader.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { StreamDescription } from '../ports/stream-api.ts';
import { shardStanding } from '../shards/lineage.ts';
import { shardReader } from '../shards/shard-reader.ts';
import type { ShardGraph } from './shard-graph.ts';
import type { StreamRunnerParts } from './stream-runner-parts.ts';

/** Shards that one call lists. */
const ONE_PAGE = 100;

export interface ShardToRead {
  readonly parts: StreamRunnerParts;
  readonly row: LeaseRow;
  readonly labels: PartitionLabels;
  readonly log: Log;
  readonly graph: ShardGraph;
  /** A listing that is begun after the call; undefined when the stream is gone. */
  readonly list: (signal: AbortSignal) => Promise<StreamDescription | undefined>;
  readonly tipIterator: (takenAt: EpochMs) => string | undefined;
}

export function openReader({ parts, row, labels, log, graph, list, tipIterator }: ShardToRead): Reader {
  const { last } = graph;
  if (last === undefined) throw new Error(`shard ${labels.partition} is to be read before its stream was listed`);
  const { apis, clock, random, observer, plan } = parts;
  const shardId = labels.partition;
  return shardReader({
    api: apis.streams,
    source: sourceOf(last, shardId),
    labels,
    clock,
    random,
    log,
    observer,
    pollMs: plan.source.pollMs,
    idleMs: plan.source.idleMs,
    startingToken: row.startingToken,
    isClosed: () => graph.closed.has(shardId),
    standing: async signal =>
      (await hasChildren(shardId, { parts, graph }, signal))
        ? { is: 'closed', servedAt: clock.now() }
        : shardStanding(await list(signal), shardId, clock.now()),
    tipIterator,
  });
}

/**
 * Of a stream of many pages: a listing takes long, the next one may be a minute away, and many shards end meanwhile. That a shard has children says as
 * much of it, in one call. Whatever else comes of it, the listing is asked.
 */
async function hasChildren(shardId: string, { parts, graph }: Pick<ShardToRead, 'parts' | 'graph'>, signal: AbortSignal): Promise<boolean> {
  if (graph.listed.size <= ONE_PAGE) return false;
  const { apis, arn, turns } = parts;
  try {
    await turns.take(signal);
    const children = await apis.streams.children(arn, shardId, signal);
    return children !== 'unsupported' && children.some(child => child.parentShardId === shardId);
  } catch (error) {
    if (error instanceof ServiceFault || signal.aborted) return false;
    throw error;
  }
}

/** What all records of a shard have in common. */
export function sourceOf({ table, region, arn, createdAt, viewType, keyNames }: StreamDescription, shardId: string): Source {
  return { origin: 'stream', table, region, streamArn: arn, streamCreatedAt: createdAt, viewType, keyNames, partition: shardId };
}
