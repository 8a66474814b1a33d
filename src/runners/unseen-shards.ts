/**
 * Shards that came and went while nobody looked: after more than a day a listing shows a shard whose parent is neither listed nor has a row. What was
 * written to that parent, and to others between it and the last shard that was known, is lost to every sink that had begun before: a gap, written down
 * before the shard gets its row, for then nothing tells of the parent any more.
 */
import type { Gap } from '../model/page.ts';
import type { SinkName } from '../model/units.ts';
import type { OpenSink } from '../pipeline/open-sink.ts';
import type { Clock } from '../ports/clock.ts';
import type { ControlStore, SinkStart } from '../ports/control-store.ts';
import { type NewLease, partsOfLeaseKey } from '../ports/lease-store.ts';
import { shardBeganAt } from '../shards/shard-id.ts';
import type { SinkPositions } from '../shards/sink-positions.ts';
import { placedSinks } from './begun-sinks.ts';
import type { PipelinePlan } from './daemon-plan.ts';
import type { GapBook } from './gap-book.ts';

export interface UnseenShardsParts {
  readonly arn: string;
  readonly plan: PipelinePlan;
  readonly control: ControlStore;
  readonly clock: Clock;
  readonly gaps: GapBook;
  readonly sinks: ReadonlyMap<SinkName, OpenSink>;
  /** Sinks that begin with this very listing. */
  readonly begun: ReadonlySet<SinkName>;
  /** Without a row, and gone from full listings. */
  readonly isUnseen: (shardId: string) => boolean;
}

/**
 * A row whose parent's row was collected while the pipeline was away from the settings: another pipeline on the table had read both. To sinks that had begun
 * then, and have not come to this row, the parent is lost as if nobody had seen it.
 */
export async function keepCollectedShards(positions: SinkPositions, parts: UnseenShardsParts): Promise<void> {
  const { arn: streamArn, clock, gaps, begun } = parts;
  for (const row of positions.rows.values()) {
    const { shardId } = partsOfLeaseKey(row.key);
    for (const parent of row.parents.filter(parts.isUnseen)) {
      const lost = positions.sinks
        .filter(sink => !begun.has(sink.name) && !positions.hasBegun(row, sink) && positions.begins(parent, sink).at !== 'end')
        .filter(({ name, start }) => hasLost(start, shardId, parts) && !gaps.knows(streamArn, parent, name))
        .map(({ name }) => name);
      if (lost.length === 0) continue;
      const note = `shard ${parent} went unread, and perhaps others before it; ${shardId} goes on after it`;
      await gaps.lose({ streamArn, partition: parent, sinks: lost, gap: { reason: 'shard-gone', at: clock.now(), note } }, parts);
    }
  }
}

/** `rows` are about to be made. Resolves when the gaps before them are durable. */
export async function keepUnseenShards(rows: readonly NewLease[], parts: UnseenShardsParts, signal: AbortSignal): Promise<void> {
  const unseen = rows.flatMap(row => row.parents.filter(parts.isUnseen).map(parent => ({ parent, row })));
  if (unseen.length === 0) return;
  const { arn: streamArn, clock, gaps } = parts;
  const placed = await placedSinks(parts, signal);
  for (const { parent, row } of unseen) {
    const { shardId } = partsOfLeaseKey(row.key);
    const lost = placed.filter(({ start }) => hasLost(start, shardId, parts)).map(({ name }) => name);
    if (lost.length === 0) continue;
    const note = `shard ${parent} came and went before it was seen, and perhaps others before it; ${shardId} goes on after it`;
    const gap: Gap = { reason: 'shard-gone', at: clock.now(), note };
    await gaps.lose({ streamArn, partition: parent, sinks: lost, gap }, parts);
  }
}

/**
 * Whether the parent of this shard held something for a sink. One that began at the oldest record, or after checkpoints: unless the shard had no parent any more in
 * the listing, or among the rows, that it began with. One that began at the tip: if the parent ended after that.
 */
function hasLost({ sink, position, takenAt, frontier }: SinkStart, shardId: string, { begun }: UnseenShardsParts): boolean {
  if (position !== 'LATEST') return !frontier.includes(shardId);
  const beganAt = shardBeganAt(shardId);
  return beganAt === undefined ? !frontier.includes(shardId) && !begun.has(sink) : beganAt > takenAt;
}
