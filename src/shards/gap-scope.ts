/**
 * Whether records that could not be read were lost to a sink, or had been trimmed before it began: then they were never its own, and there is no gap.
 * A sink that has read something of a shard has lost whatever is missing after that.
 */
import type { Gap } from '../model/page.ts';
import type { Position } from '../model/position.ts';
import type { Ms } from '../model/units.ts';
import type { SinkStart } from '../ports/control-store.ts';
import { shardBeganAt } from './shard-id.ts';

/** How long a stream holds its records. */
export const RETENTION_MS: Ms = 24 * 3_600_000;
/** What a sink that has just begun needs at most until it opens the oldest shards. */
export const OPENING_MS: Ms = 3_600_000;

/** Said of a shard without known children that went after its stream had ended: nothing is listed later that would tell of what followed it. */
export const UNSEEN = '; shards that followed it unseen, if any, are lost too';

export function isLostTo({ start, position }: { start: SinkStart; position: Position }, shardId: string, gap: Gap): boolean {
  if (gap.reason === 'skipped' || gap.reason === 'dropped') return true;
  const sinceMs = gap.at - start.takenAt;
  if (position.at === 'tip') return sinceMs > RETENTION_MS - OPENING_MS;
  // What an application had left unread is the heir's, whenever it was trimmed.
  if (position.at !== 'start' || start.position === 'CHECKPOINT') return true;
  const beganAt = shardBeganAt(shardId);
  const wasWhole = beganAt !== undefined && beganAt > start.takenAt - RETENTION_MS;
  return wasWhole || sinceMs > OPENING_MS;
}
