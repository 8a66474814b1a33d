/** What a stream's runner is made of. */
import type { Ms, SinkName } from '../model/units.ts';
import type { Budget } from '../pipeline/budget.ts';
import type { OpenSink } from '../pipeline/open-sink.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { ControlStore } from '../ports/control-store.ts';
import type { LeaseKey, LeaseStore } from '../ports/lease-store.ts';
import type { Log } from '../ports/log.ts';
import type { Observer } from '../ports/observer.ts';
import type { StreamDescription } from '../ports/stream-api.ts';
import type { HeldLease } from '../shards/held-lease.ts';
import type { SourceApis } from './daemon-parts.ts';
import type { PipelinePlan } from './daemon-plan.ts';
import type { GapBook } from './gap-book.ts';
import type { Turns } from './turns.ts';

export interface StreamRunnerParts {
  readonly arn: string;
  readonly pipeline: string;
  readonly table: string;
  readonly plan: PipelinePlan;
  readonly apis: SourceApis;
  readonly leases: LeaseStore;
  readonly control: ControlStore;
  readonly gaps: GapBook;
  /** The enabled ones. */
  readonly sinks: ReadonlyMap<SinkName, OpenSink>;
  readonly budget: Budget;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly observer: Observer;
  /** Of the process, for calls that find children. */
  readonly turns: Turns;
  readonly keeper: LeaseHolder;
  readonly drainMs: Ms;
  /** Nothing of the pipeline was ever read before this stream. */
  readonly firstStart: boolean;
  /** Throws when the stream cannot serve the sinks. */
  readonly accepts: (description: StreamDescription) => void;
  /** The table has a newer stream. */
  readonly isReplaced: () => boolean;
  /** Whether the sink has ended the streams before this one. */
  readonly mayBegin: (sink: SinkName) => boolean;
  /** Whether this worker lists the stream for all. */
  readonly lists: (streamArn: string) => boolean;
  /** Another pass is wanted before its time. */
  readonly lookSoon: () => void;
  /** Of the process: aborts when there is nothing more to do. */
  readonly ending: AbortSignal;
  /** Something went wrong that a run did not foresee. */
  readonly failed: (error: unknown) => void;
}

/** What of the lease keeper those need who have leases in hand. */
export interface LeaseHolder {
  readonly held: ReadonlyMap<LeaseKey, HeldLease>;
  /** Rows of owners that give no sign of life. */
  readonly expired: ReadonlySet<LeaseKey>;
  nudge(): void;
  holdBack(key: LeaseKey, settled: Promise<void>): void;
  /** Tells a worker to look at the leases. */
  ring(worker: string): void;
}
