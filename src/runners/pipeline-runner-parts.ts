/** What a pipeline's runner is made of. */
import type { Ms, SinkName } from '../model/units.ts';
import type { Budget } from '../pipeline/budget.ts';
import type { DaemonParts, SourceApis } from './daemon-parts.ts';
import type { PipelinePlan } from './daemon-plan.ts';
import type { KclTakeover } from './kcl-takeover.ts';
import type { LeaseHolder } from './stream-runner-parts.ts';
import type { Turns } from './turns.ts';

export interface PipelineRunnerParts extends Omit<DaemonParts, 'source'> {
  /** The service's name. */
  readonly service: string;
  readonly plan: PipelinePlan;
  readonly apis: SourceApis;
  readonly budget: Budget;
  readonly turns: Turns;
  readonly keeper: LeaseHolder;
  /** In mode kcl-takeover. */
  readonly takeover?: Pick<KclTakeover, 'begin'> | undefined;
  readonly drainMs: Ms;
  /** The lease rows have been read once. */
  readonly scanned: Promise<void>;
  /** Aborts when the process has nothing more to do. */
  readonly ending: AbortSignal;
  /** Whether an operator has paused the sink. */
  readonly isPaused: (sink: SinkName) => boolean;
  /** Whether this worker lists the stream for all. */
  readonly lists: (streamArn: string) => boolean;
  /** The pipeline halts. */
  readonly halted: () => void;
  /** Only the end of the process mends it. */
  readonly fatal: (error: unknown) => void;
}
