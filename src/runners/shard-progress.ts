/**
 * The sinks' positions of one shard, kept in its lease row: one write for all of them, under the lease. A position is never lowered, whatever comes
 * late. When every enabled sink has ended, the same write makes the row SHARD_END and names the children.
 */
import { comparePositions, type Position } from '../model/position.ts';
import type { SinkName } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { LeaseChange, LeaseRow } from '../ports/lease-store.ts';
import type { Progress } from '../ports/progress.ts';
import type { HeldLease } from '../shards/held-lease.ts';
import { positionKey, type SinkPositions } from '../shards/sink-positions.ts';

export interface ShardProgressParts {
  readonly pipeline: string;
  readonly lease: HeldLease;
  readonly clock: Clock;
  /** As of the newest rows. */
  readonly positions: () => SinkPositions;
  /** Known once the shard has been read to its end. */
  readonly children: () => readonly string[];
}

export function shardProgress(parts: ShardProgressParts): Progress {
  const { lease, pipeline } = parts;
  return {
    async load() {
      const positions = parts.positions();
      const known = new Map<SinkName, Position>();
      for (const sink of positions.sinks) {
        const position = positions.position(lease.row, sink);
        // What a control row says is not saved here, but for an end: there is nothing to do then.
        if (position.at === 'end' || positions.saved(lease.row, sink) !== undefined) known.set(sink.name, position);
      }
      return known;
    },
    save: moved => lease.save(row => savedPositions(row, moved, { ...parts, pipeline })),
  };
}

export function savedPositions(
  row: LeaseRow,
  moved: ReadonlyMap<SinkName, Position>,
  { pipeline, clock, positions, children }: Omit<ShardProgressParts, 'lease'>,
): LeaseChange {
  const all = new Map(row.positions);
  for (const [sink, position] of moved) {
    const key = positionKey(pipeline, sink);
    const before = all.get(key);
    if (before === undefined || comparePositions(position, before) >= 0) all.set(key, position);
  }
  const after = { ...row, positions: all };
  const change = { positions: all, checkpoint: positions().checkpoint(after) };
  if (!positions().hasEnded(after)) return row.endedAt === undefined ? change : { ...change, endedAt: null };
  return { ...change, children: children(), endedAt: row.endedAt ?? clock.now() };
}
