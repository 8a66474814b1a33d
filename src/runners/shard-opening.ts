/** Puts together the run of one shard that is held here: its reader, its progress, what follows from its end and its gaps. */
import type { Gap } from '../model/page.ts';
import type { EpochMs, Ms, SinkName } from '../model/units.ts';
import { partsOfLeaseKey } from '../ports/lease-store.ts';
import type { ShardListing } from '../ports/stream-api.ts';
import { isLostTo, UNSEEN } from '../shards/gap-scope.ts';
import type { HeldLease } from '../shards/held-lease.ts';
import type { SinkPositions } from '../shards/sink-positions.ts';
import { lineageReader } from './lineage-reader.ts';
import { shardChildren } from './shard-children.ts';
import { shardProgress } from './shard-progress.ts';
import { openReader } from './shard-readers.ts';
import { ShardRun } from './shard-run.ts';
import type { StreamListing } from './stream-listing.ts';
import type { StreamRunnerParts } from './stream-runner-parts.ts';

export interface ShardToOpen {
  readonly parts: StreamRunnerParts;
  readonly lease: HeldLease;
  readonly listing: StreamListing;
  /** As of the newest rows. */
  readonly positions: () => SinkPositions;
  readonly tipIterator: (takenAt: EpochMs) => string | undefined;
  readonly make: (children: readonly ShardListing[], signal: AbortSignal) => Promise<void>;
  readonly ended: () => void;
  readonly over: (run: ShardRun) => void;
  readonly failed: (error: unknown) => void;
}

/** Clocks differ, and a record's time is cut: a little more may count as given before. */
const REPLAY_SKEW_MS: Ms = 2_000;

export function openShard(shard: ShardToOpen): ShardRun {
  const { parts, lease, listing, positions, over, failed } = shard;
  const { plan, clock, random, observer, budget, sinks } = parts;
  const { shardId } = partsOfLeaseKey(lease.key);
  const labels = { pipeline: plan.name, table: plan.source.table, partition: shardId };
  const log = parts.log.child({ shardId });
  const { row } = lease;
  let children = row.children;
  const reader = openReader({ ...shard, row, labels, log, graph: listing.graph, list: () => listing.list() });
  const run: ShardRun = new ShardRun({
    lease,
    clock,
    over,
    failed,
    run: {
      labels,
      sinks: [...sinks.values()],
      admitted: new Set(admittedTo(shard)),
      startAt: name => placed(positions(), name).begins,
      reader: lineageReader(reader, async () => {
        if (children.length === 0) children = await childrenOf(shardId, shard, run.signal);
      }),
      progress: shardProgress({ pipeline: plan.name, lease, clock, positions, children: () => children }),
      budget,
      clock,
      random,
      log,
      observer,
      mayWrite: () => lease.check(),
      traceContextAttribute: plan.source.traceContextAttribute,
      replayedBefore: row.counter > 1 ? clock.now() + REPLAY_SKEW_MS : 0,
      onEnd: shard.ended,
      onGap: (names, gap) => {
        const isLast = gap.reason === 'shard-gone' && children.length === 0 && listing.graph.isClosed;
        return keepGap(shard, names, isLast ? { ...gap, note: gap.note + UNSEEN } : gap);
      },
    },
  });
  return run;

  function placed(at: SinkPositions, name: SinkName) {
    const sink = at.sinks.find(one => one.name === name);
    if (sink === undefined) throw new Error(`sink ${name} has no start in ${lease.key}`);
    return { sink, begins: at.begins(shardId, sink) };
  }
}

/** The sinks that have ended all parents of the shard. */
export function admittedTo({ lease, positions }: Pick<ShardToOpen, 'lease' | 'positions'>): readonly SinkName[] {
  const at = positions();
  return at.sinks.filter(sink => at.mayStart(lease.row, sink)).map(({ name }) => name);
}

function childrenOf(shardId: string, { parts, listing, make }: ShardToOpen, signal: AbortSignal): Promise<readonly string[]> {
  const asked = {
    ...parts,
    streamArn: parts.arn,
    streams: parts.apis.streams,
    list: () => listing.list(),
    isGone: (id: string) => listing.graph.isGone(id),
    make,
  };
  return shardChildren(shardId, asked, signal);
}

async function keepGap({ parts, lease, positions }: ShardToOpen, names: readonly SinkName[], gap: Gap): Promise<void> {
  const { shardId } = partsOfLeaseKey(lease.key);
  const at = positions();
  const lost = at.sinks
    .filter(sink => names.includes(sink.name))
    .filter(sink => isLostTo({ start: sink.start, position: at.position(lease.row, sink) }, shardId, gap))
    .map(({ name }) => name);
  await parts.gaps.lose({ streamArn: parts.arn, partition: shardId, sinks: lost, gap }, parts);
}
