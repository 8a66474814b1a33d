/**
 * What all workers of a service, and its operators, must agree on beside the leases: where each sink began, which sinks are paused, what was lost,
 * which streams a table has had. Rows of the control table, read by key or by kind, never by scan. Calls that fail throw a ServiceFault; every
 * write may be repeated.
 */
import type { Gap } from '../model/page.ts';
import type { EpochMs, PartitionId, SinkName } from '../model/units.ts';
import type { LeaseKey } from './lease-store.ts';

export type StartingPosition = 'TRIM_HORIZON' | 'LATEST';

/** Where a sink began in a stream: written once, before its first position. */
export interface SinkStart {
  readonly pipeline: string;
  readonly sink: SinkName;
  readonly streamArn: string;
  /** `CHECKPOINT`: after the checkpoints of a lease table that was taken over; they stand in its rows as positions of the sink. */
  readonly position: StartingPosition | 'CHECKPOINT';
  /** The server's time: the tip's, for every shard. */
  readonly takenAt: EpochMs;
  /**
   * Shards then listed. LATEST: those without a listed child, read from their tip; their ancestors count as ended. TRIM_HORIZON: those without a
   * listed parent; their ancestors were trimmed and count as ended. CHECKPOINT: rows taken over whose parents had none; their ancestors count as ended.
   */
  readonly frontier: readonly string[];
  /** The name that it went on from: what stands under that is not a sink any more. */
  readonly formerly?: SinkName;
}

/** What operators ask of a sink. */
export interface SinkRequest {
  readonly pipeline: string;
  readonly sink: SinkName;
  readonly paused: boolean;
  /** Goes up with every pause and resume: a resume also tries a halted sink again. */
  readonly asked: number;
}

export interface GapRow {
  readonly pipeline: string;
  readonly table: string;
  readonly streamArn: string;
  /** The shard; absent when a whole stream was replaced. */
  readonly partition?: PartitionId;
  readonly sinks: readonly SinkName[];
  readonly gap: Gap;
}

/** A stream that a pipeline has read, in the order of their making. */
export interface StreamRow {
  readonly pipeline: string;
  readonly table: string;
  readonly arn: string;
  readonly firstSeenAt: EpochMs;
  /** Replaced by a newer one, read to its end, or gone. */
  readonly drainedAt?: EpochMs;
}

/** A worker of the service, as all others see it. */
export interface Member {
  readonly worker: string;
  /** Goes up at each interval: the only sign of life. */
  readonly beat: number;
  /** Goes up when somebody wants it to look at the leases. */
  readonly bell: number;
  /** Its share of the shards. */
  readonly weight: number;
  /** It leaves: it takes nothing more and gives everything away. */
  readonly draining: boolean;
  /** Streams whose shards it can read now, by ARN. */
  readonly serves: readonly string[];
  /** Rows that it cannot take: a write of an earlier run of them has not settled. */
  readonly unable: readonly LeaseKey[];
}

export interface ControlStore {
  /** Makes the table where that is wanted, and waits until it answers. */
  prepare(signal: AbortSignal): Promise<void>;
  sinkStarts(pipeline: string, signal: AbortSignal): Promise<readonly SinkStart[]>;
  /** Created if absent; answers the row that stands, and whether this call made it. */
  createSinkStart(start: SinkStart, signal: AbortSignal): Promise<{ readonly start: SinkStart; readonly created: boolean }>;
  /** Of all pipelines: what was ever asked. */
  sinkRequests(signal: AbortSignal): Promise<readonly SinkRequest[]>;
  ask(pipeline: string, sink: SinkName, paused: boolean, signal: AbortSignal): Promise<void>;
  /** The same gap again (a repeat after a crash) adds its sinks to the row that stands. */
  addGap(row: GapRow, signal: AbortSignal): Promise<void>;
  gaps(pipeline: string, signal: AbortSignal): Promise<readonly GapRow[]>;
  streams(pipeline: string, signal: AbortSignal): Promise<readonly StreamRow[]>;
  putStream(row: StreamRow, signal: AbortSignal): Promise<void>;
  members(signal: AbortSignal): Promise<readonly Member[]>;
  /** Says what a worker is, and raises its beat. `expiresAt`: when the row is rubbish; never a sign of death. */
  beat(member: Omit<Member, 'beat' | 'bell'>, expiresAt: EpochMs, signal: AbortSignal): Promise<void>;
  /** How often the worker was rung for; undefined when it has no row. */
  bell(worker: string, signal: AbortSignal): Promise<number | undefined>;
  /** Raises the bell of a worker that has a row. */
  ring(worker: string, signal: AbortSignal): Promise<void>;
  leave(worker: string, signal: AbortSignal): Promise<void>;
}
