/** What one sink at one partition is made of. */
import type { Gap } from '../model/page.ts';
import type { Position } from '../model/position.ts';
import type { EpochMs } from '../model/units.ts';
import type { Random } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { OpenWorkParts } from './open-work.ts';

export interface SinkRunParts extends OpenWorkParts {
  readonly position: Position;
  readonly replayedBefore: EpochMs;
  /** The attribute in which items carry the trace context of the write that made them. */
  readonly traceContextAttribute?: string | undefined;
  readonly random: Random;
  readonly log: Log;
  /** Whether the right to write is still held. */
  readonly mayWrite: () => boolean;
  /** Something moved: room, head or state. */
  readonly moved: () => void;
  /** Makes a gap durable for this sink. */
  readonly onGap: (gap: Gap) => Promise<void>;
  /** Our own mistake: the process has to end. */
  readonly failed: (error: unknown) => void;
}
