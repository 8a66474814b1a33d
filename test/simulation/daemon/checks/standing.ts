/**
 * What has become of a change for a target: it is durable there, or a newer one of its key is where the target coalesces; a durable gap says that it was
 * lost; it was never the target's own, for it lies before the place at which it began; or it is missing.
 */
import { compareTokens } from '../../../../src/model/position.ts';
import type { GapRow, SinkStart } from '../../../../src/ports/control-store.ts';
import { leaseKey } from '../../../../src/ports/lease-store.ts';
import { UNSEEN } from '../../../../src/shards/gap-scope.ts';
import { ancestorsOf, DAY_MS, firstBegan, type Scene, startOf } from '../scene.ts';
import type { Target } from '../target.ts';
import type { Change } from '../truth.ts';

export type Standing = 'durable' | 'gap' | 'not its own' | 'missing';

const HOUR_MS = 3_600_000;

export function standing(scene: Scene, target: Target, change: Change): Standing {
  const { ledger } = target;
  if (ledger.landed.has(change.token)) return 'durable';
  if (target.coalesces && (ledger.newest.get(change.key)?.n ?? -1) > change.n) return 'durable';
  const start = startOf(scene, target, change.stream);
  if (start === undefined || !isItsOwn(scene, target, { start, change })) return 'not its own';
  return isInGap(scene, target, change) ? 'gap' : 'missing';
}

/** Whether the sink, from where it began, has to be given this change. */
export function isItsOwn(scene: Scene, target: Target, { start, change }: { start: SinkStart; change: Change }): boolean {
  const { shard, writtenAt } = change;
  if (start.position === 'LATEST') return writtenAt >= start.takenAt;
  const hadBegunBefore = start.position === 'TRIM_HORIZON' && start.frontier.length === 0;
  const oldestHeld = (hadBegunBefore ? firstBegan(scene, target) : start.takenAt) - DAY_MS;
  // A shard that was partly trimmed already may lose more until it is opened; that is no gap.
  return writtenAt > (shard.madeAt <= oldestHeld ? oldestHeld + HOUR_MS : oldestHeld);
}

/**
 * Whether nobody can know yet that a change was lost: everything of its shard was trimmed, and an empty hole cannot be told from a lost one before the next
 * record comes or the shard ends.
 */
export function isUntold({ streams }: Scene, { stream, shard }: Change): boolean {
  return shard.closedAt === undefined && stream.trimmed(shard, streams.rules.retentionMs) === shard.stored.length;
}

/** Whether a durable gap says that the target lost it. */
export function isInGap(scene: Scene, target: Target, change: Change): boolean {
  for (const row of scene.control.gapRows.values()) {
    if (target.names.some(name => row.sinks.includes(name)) && (covers(row, change) || isUnseen(scene, row, change))) return true;
  }
  return false;
}

/**
 * Of shards that came and went unseen only the last one's id is known, or none where the whole stream did, or the one that they followed where the stream
 * ended with them.
 */
function isUnseen({ leases }: Scene, { streamArn, partition, gap }: GapRow, { stream, shard }: Change): boolean {
  if (streamArn !== stream.arn || gap.reason !== 'shard-gone') return false;
  if (leases.rows.has(leaseKey(stream.arn, shard.id))) return false;
  if (gap.note.endsWith(UNSEEN)) return ancestorsOf(stream, shard.id).some(({ id }) => id === partition);
  return gap.from === undefined && (partition === undefined || ancestorsOf(stream, partition).includes(shard));
}

function covers({ streamArn, partition, gap }: GapRow, { stream, shard, token, writtenAt }: Change): boolean {
  if (streamArn !== stream.arn) return false;
  // To a sink that came to a stream so late that its beginning was gone. What it opens in the first hour may lose more.
  if (partition === undefined && gap.reason === 'trimmed') return writtenAt < gap.at - DAY_MS + HOUR_MS;
  if (partition !== shard.id) return false;
  if (gap.from !== undefined && compareTokens(token, gap.from) < 0) return false;
  return gap.to === undefined || compareTokens(token, gap.to) < 0;
}
