/**
 * What is done about rows that no run will do, after each full listing: a renamed sink's positions are copied, rows that have ended without an owner are
 * marked so, shards that are gone are ended with a gap for sinks that cannot read, and rows that nobody will need again are deleted.
 */
import type { Gap } from '../model/page.ts';
import type { Position } from '../model/position.ts';
import type { SinkName } from '../model/units.ts';
import type { OpenSink } from '../pipeline/open-sink.ts';
import type { Clock } from '../ports/clock.ts';
import type { ControlStore } from '../ports/control-store.ts';
import type { LeaseChange, LeaseKey, LeaseRow, LeaseStore } from '../ports/lease-store.ts';
import { partsOfLeaseKey } from '../ports/lease-store.ts';
import { isLostTo, UNSEEN } from '../shards/gap-scope.ts';
import type { HeldLease } from '../shards/held-lease.ts';
import { collectable } from '../shards/row-plan.ts';
import type { PlacedSink, SinkPositions } from '../shards/sink-positions.ts';
import { placedSinks } from './begun-sinks.ts';
import type { PipelinePlan } from './daemon-plan.ts';
import type { GapBook } from './gap-book.ts';
import { type Persistence, persist } from './persist.ts';
import type { ShardGraph } from './shard-graph.ts';

export interface SweepParts extends Omit<Persistence, 'what'> {
  readonly plan: PipelinePlan;
  readonly arn: string;
  readonly leases: LeaseStore;
  readonly control: ControlStore;
  readonly gaps: GapBook;
  readonly graph: ShardGraph;
  readonly sinks: ReadonlyMap<SinkName, OpenSink>;
  readonly keeper: { readonly held: ReadonlyMap<LeaseKey, HeldLease>; readonly expired: ReadonlySet<LeaseKey> };
}

/** One write that gets no answer does not begin the sweep anew, nor does it hold up what waits for its end. */
const INSIST = 'the lease table, to keep its rows in order';

export async function sweepRows(positions: SinkPositions, asked: SweepParts, signal: AbortSignal): Promise<void> {
  // Looked at once: of 10,000 rows it would be worked out anew for each.
  const { held, expired } = asked.keeper;
  const parts = { ...asked, keeper: { held, expired } };
  for (const row of positions.rows.values()) {
    if (signal.aborted) return;
    const lost = await endedByLoss(row, positions, parts);
    const change = mended(row, lost, { positions, clock: parts.clock });
    if (change === undefined) continue;
    const lease = parts.keeper.held.get(row.key);
    if (lease !== undefined) await lease.save(now => mended(now, lost, { positions, clock: parts.clock }) ?? {});
    else if (isFree(row, parts)) {
      const whole = { ...change, ...(row.owner !== undefined && { owner: null }) };
      await persist(() => parts.leases.write(row, whole, signal), { ...parts, what: INSIST }, signal);
    }
  }
  await collect(positions, parts, signal);
}

/** Nobody's, or a dead owner's: the write holds only for the counter that was seen unmoved. */
function isFree({ key, owner }: LeaseRow, { keeper }: SweepParts): boolean {
  return owner === undefined || keeper.expired.has(key);
}

/** Sinks that can go on only by an end here: the shard is gone, and they are not open, or nobody holds the row. The gap is durable when this resolves. */
async function endedByLoss(row: LeaseRow, positions: SinkPositions, parts: SweepParts): Promise<readonly PlacedSink[]> {
  const { shardId } = partsOfLeaseKey(row.key);
  if (!parts.graph.isGone(shardId)) return [];
  if (!isFree(row, parts) && !parts.keeper.held.has(row.key)) return [];
  const ended = positions.sinks.filter(sink => {
    const canRead = parts.sinks.get(sink.name)?.state === 'open' && !parts.graph.streamGone;
    return !canRead && positions.position(row, sink).at !== 'end' && positions.mayStart(row, sink);
  });
  await keepGap(
    row,
    ended.map(sink => ({ sink, position: positions.position(row, sink) })),
    { ...parts, positions },
  );
  return ended;
}

async function keepGap(
  row: LeaseRow,
  lost: readonly { sink: Pick<PlacedSink, 'name' | 'start'>; position: Position }[],
  parts: SweepParts & { readonly positions: SinkPositions },
) {
  const { shardId } = partsOfLeaseKey(row.key);
  const { arn: streamArn, clock, gaps, graph, positions } = parts;
  const isLast = graph.isClosed && ![...positions.rows.values()].some(({ parents }) => parents.includes(shardId));
  for (const { sink, position } of lost) {
    const gap: Gap = {
      reason: 'shard-gone',
      at: clock.now(),
      note: `shard ${shardId} went before it was read to its end${isLast ? UNSEEN : ''}`,
      ...(position.at === 'after' && { from: position.token }),
    };
    if (isLostTo({ start: sink.start, position }, shardId, gap)) {
      await gaps.lose({ streamArn, partition: shardId, sinks: [sink.name], gap }, parts);
    }
  }
}

/** What the row should say besides; undefined when it says it. */
function mended(
  row: LeaseRow,
  ended: readonly PlacedSink[],
  { positions, clock }: { positions: SinkPositions; clock: Clock },
): LeaseChange | undefined {
  const all = new Map(row.positions);
  for (const sink of positions.sinks) {
    const saved = positions.saved(row, sink);
    if (saved !== undefined && !all.has(sink.key)) all.set(sink.key, saved);
  }
  for (const sink of ended) all.set(sink.key, { at: 'end' });
  const after = { ...row, positions: all };
  const marks = positions.hasEnded(after) && (row.checkpoint !== 'SHARD_END' || row.endedAt === undefined);
  if (all.size === row.positions.size && ended.length === 0 && !marks) return undefined;
  return {
    positions: all,
    checkpoint: positions.checkpoint(after),
    ...(marks && { endedAt: clock.now() }),
  };
}

/** A sink that is disabled or was removed and had not ended here has lost the rest, which is written down before the row goes. */
async function collect(positions: SinkPositions, parts: SweepParts, signal: AbortSignal): Promise<void> {
  const rows = collectable(positions, parts.graph.listed, parts.clock.now());
  if (rows.length === 0) return;
  const sinks = await placedSinks(parts, signal);
  for (const row of rows) {
    const unfinished = sinks.flatMap(sink => {
      const position = positions.position(row, sink);
      return position.at === 'end' ? [] : [{ sink, position }];
    });
    await keepGap(row, unfinished, { ...parts, positions });
    await persist(() => parts.leases.remove(row, signal), { ...parts, what: INSIST }, signal);
  }
}
