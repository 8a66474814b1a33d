/**
 * What to do about the lease rows that an application of the Kinesis Client Library has left, as pure functions of the rows and of a full listing of the
 * stream: whether they are leases of this stream at all, where a sink goes on after them, and from which shards on nothing before is to be read.
 *
 * A shard without a row whose children have one was read by the application, or left out by it (it began at the tip), and its row was deleted: nothing
 * of it is read again.
 */
import type { Position } from '../model/position.ts';
import type { EpochMs, Ms } from '../model/units.ts';
import type { KclLease } from '../ports/kcl-table.ts';
import type { StreamDescription } from '../ports/stream-api.ts';
import { RETENTION_MS } from './gap-scope.ts';
import { ancestorsOf, parentsListed } from './lineage.ts';
import { shardBeganAt } from './shard-id.ts';

export interface Heir {
  /** The lease table's name. */
  readonly table: string;
  readonly description: StreamDescription;
  /** Earlier streams of the same table that this service has read. */
  readonly former: readonly string[];
  /** Of the service: rows that name no stream can only be one pipeline's. */
  readonly pipelines: number;
}

/** A table is made, its stream enabled, and the first shard's id given a little before or after one another. */
const EARLY_MS: Ms = 600_000;

/** The rows of the stream; or why the table must be somebody else's. */
export function inheritedRows(
  leases: readonly KclLease[],
  heir: Heir,
): { readonly rows: readonly KclLease[] } | { readonly refused: string } {
  const { table, description, former, pipelines } = heir;
  const of = (wanted: KclLease['names']) => leases.filter(({ names }) => names === wanted);
  const ours = leases.filter(({ streamArn }) => streamArn === description.arn);
  if (of('native').length > 0) {
    return {
      refused: `lease table ${table} was made in mode native; set leases.mode: native, or name the Java application's table in state.leaseTable`,
    };
  }
  // Where rows name streams, those without one are left from before that.
  const bare = of('stream').length > 0 ? [] : of('shard');
  if (bare.length > 0) {
    if (pipelines > 1) {
      return {
        refused: `the leases of ${table} do not say which stream they are of, so that one pipeline alone can take them over; here are ${pipelines}`,
      };
    }
    const stamped = bare.find(({ streamArn }) => streamArn !== undefined && streamArn !== description.arn && !former.includes(streamArn));
    const free = bare.filter(({ streamArn }) => streamArn === undefined);
    const stranger =
      stamped?.streamArn ?? (areStrangers(free, description) ? `another stream (${free[0]?.shardId} is no shard of it)` : undefined);
    if (stranger !== undefined) {
      return {
        refused: `lease table ${table} is of ${stranger}, but the source is ${description.arn}; name the lease table of that stream`,
      };
    }
    return { rows: [...ours, ...free] };
  }
  const others = new Set(leases.map(({ streamArn, key }) => streamArn ?? key));
  if (ours.length > 0 || others.size === 0 || former.some(arn => others.has(arn))) return { rows: ours };
  return {
    refused: `lease table ${table} is of ${[...others].slice(0, 3).join(', ')}, not of ${description.arn}; name the lease table of that stream`,
  };
}

/** None of these shards is listed, though some would have to be: the stream is older and they are younger than what it holds. */
function areStrangers(leases: readonly KclLease[], { shards, servedAt, createdAt }: StreamDescription): boolean {
  const listed = new Set(shards.map(({ shardId }) => shardId));
  if (leases.some(({ shardId }) => listed.has(shardId))) return false;
  return leases.some(({ shardId }) => {
    const beganAt = shardBeganAt(shardId);
    return beganAt === undefined || beganAt < createdAt - EARLY_MS || beganAt > servedAt - RETENTION_MS;
  });
}

/** Where the application would go on; undefined for a text that it does not write. The number is that of the last record it has done with. */
export function inheritedPosition({ checkpoint, shardId }: KclLease, takenAt: EpochMs): Position | undefined {
  if (checkpoint === 'SHARD_END') return { at: 'end' };
  // The time itself stands in the application's settings only; the oldest record is no later.
  if (checkpoint === 'TRIM_HORIZON' || checkpoint === 'AT_TIMESTAMP') return { at: 'start' };
  if (checkpoint === 'LATEST') return { at: 'tip', takenAt };
  // A record of DynamoDB has no parts, so that a sub-sequence number says nothing. Its time is not known: it is no earlier than the shard.
  if (/^\d+$/.test(checkpoint)) return { at: 'after', token: checkpoint, changedAt: shardBeganAt(shardId) ?? takenAt };
  return undefined;
}

/** Rows whose parents have none, and have not to be read before them: a parent that is missing above an unread shard is one that has to be read. */
export function inheritedFrontier(rows: readonly KclLease[], { shards }: StreamDescription): readonly string[] {
  const byShard = new Map(rows.map(row => [row.shardId, row]));
  const listed = parentsListed(shards);
  const parentsOf = (shardId: string) => byShard.get(shardId)?.parents ?? listed.get(shardId) ?? [];
  const isUnread = (shardId: string) => (byShard.get(shardId)?.checkpoint ?? 'SHARD_END') !== 'SHARD_END';
  return rows
    .filter(({ parents }) => parents.some(parent => !byShard.has(parent)))
    .map(({ shardId }) => shardId)
    .filter(shardId => ![...ancestorsOf([shardId], parentsOf)].some(isUnread));
}

/**
 * Shards of which nothing tells any more: the application went on after them while it had the table again, then deleted their rows. Of rows that none of
 * our sinks has a place in; a sink that had begun before has not had what they held.
 */
export function missedShards(rows: readonly KclLease[], { shards }: StreamDescription): readonly { missed: string; before: KclLease }[] {
  const known = new Set([...rows.map(({ shardId }) => shardId), ...shards.map(({ shardId }) => shardId)]);
  return rows
    .filter(({ positions, isOurs }) => positions.size === 0 && !isOurs)
    .flatMap(row => row.parents.filter(parent => !known.has(parent)).map(missed => ({ missed, before: row })));
}
