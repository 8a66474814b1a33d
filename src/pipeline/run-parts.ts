/** What a run of one partition is made of. */
import type { Gap } from '../model/page.ts';
import type { Position } from '../model/position.ts';
import type { EpochMs, SinkName } from '../model/units.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Observer, PartitionLabels } from '../ports/observer.ts';
import type { Progress } from '../ports/progress.ts';
import type { Reader } from '../ports/reader.ts';
import type { Budget } from './budget.ts';
import type { OpenSink } from './open-sink.ts';

export interface RunParts {
  readonly labels: PartitionLabels;
  readonly reader: Reader;
  readonly progress: Progress;
  readonly sinks: readonly OpenSink[];
  /** Sinks that may begin at once; others wait until `admit`. */
  readonly admitted: ReadonlySet<SinkName>;
  /** For a sink without a saved position. */
  readonly startAt: (sink: SinkName) => Position;
  readonly budget: Budget;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly observer: Observer;
  /** Whether the right to write is still held, asked right before each write: a process that was frozen hears of its loss here. Absent: always. */
  readonly mayWrite?: () => boolean;
  /** Records changed before this time may have been written by a former owner or process; 0: none. */
  readonly replayedBefore: EpochMs;
  /** The attribute in which items carry the trace context of the write that made them. */
  readonly traceContextAttribute?: string | undefined;
  /** A sink's `end` has been saved here. */
  readonly onEnd: (sink: SinkName) => void;
  /** Makes a gap durable; nothing behind it is saved before. */
  readonly onGap: (sinks: readonly SinkName[], gap: Gap) => Promise<void>;
}
