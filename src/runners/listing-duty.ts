/**
 * When a worker makes a full listing of a stream. One worker lists for all, each minute; the others only where they need it, for DescribeStream allows ten
 * calls a second to a whole account. Two that both believe to be the one do no harm: what follows from a listing is conditional on what was seen.
 */
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { SinkPositions } from '../shards/sink-positions.ts';
import type { ShardGraph } from './shard-graph.ts';

export interface ListingDutyParts {
  readonly clock: Clock;
  readonly arn: string;
  readonly graph: ShardGraph;
  /** Whether this worker lists the stream for all. */
  readonly lists: (streamArn: string) => boolean;
}

/** Who lists for all and has not for so long begins at once: the one before it has gone. */
const OVERDUE_MS: Ms = 90_000;
/** The others still look now and then. */
const OTHERS_MS: Ms = 600_000;

export class ListingDuty {
  readonly #parts: ListingDutyParts;
  #wanted = false;
  #doneAt = Number.NEGATIVE_INFINITY;

  constructor(parts: ListingDutyParts) {
    this.#parts = parts;
  }

  /** Something was met that a listing explains. */
  want(): void {
    this.#wanted = true;
  }

  begun(): void {
    this.#wanted = false;
  }

  done(): void {
    this.#doneAt = this.#parts.clock.elapsed();
  }

  /** At the minute. A row that waits for a parent without a row is let go on only by listings. */
  isDue(positions: SinkPositions): boolean {
    const { graph, lists, arn } = this.#parts;
    if (this.#wanted || graph.isEmpty || this.#ageMs > OTHERS_MS || lists(arn)) return true;
    const { rows } = positions;
    const isUnknown = (shard: string) => !rows.has(shard) && !graph.isGone(shard);
    const waits = [...rows.values()].filter(row => !positions.isRunnable(row) && !positions.hasEnded(row));
    return waits.some(({ parents }) => parents.some(isUnknown));
  }

  get isOverdue(): boolean {
    return this.#ageMs > OVERDUE_MS && this.#parts.lists(this.#parts.arn);
  }

  get #ageMs(): Ms {
    return this.#parts.clock.elapsed() - this.#doneAt;
  }
}
