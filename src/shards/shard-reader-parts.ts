/** What a reader of one shard is made of. */
import type { Source } from '../model/change-record.ts';
import type { Token } from '../model/position.ts';
import type { EpochMs, Ms } from '../model/units.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Observer, PartitionLabels } from '../ports/observer.ts';
import type { StreamApi } from '../ports/stream-api.ts';
import type { ShardStanding } from './lineage.ts';

export interface ShardReaderParts {
  readonly api: StreamApi;
  /** Shared by all records; its partition is the shard's id. */
  readonly source: Source;
  readonly labels: PartitionLabels;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly observer: Observer;
  /** Wait after a page that was not full; how far it backs off while an open shard gives nothing. */
  readonly pollMs: Ms;
  readonly idleMs: Ms;
  /** The shard's first number, where it is known. */
  readonly startingToken?: Token | undefined;
  /** Whether the newest listing shows it closed, as `closedShards` says. */
  readonly isClosed: () => boolean;
  /**
   * By a listing taken after the call (`shardStanding`). Asked when an iterator had no next one, and when the shard has been refused as unknown for a
   * minute. When it throws a ServiceFault that may pass, it is asked again.
   */
  readonly standing: (signal: AbortSignal) => Promise<ShardStanding>;
  /** The iterator that was taken at the tip of this time, once, where this process has saved it: anybody else reads from the start and skips. */
  readonly tipIterator: (takenAt: EpochMs) => string | undefined;
}
