/**
 * Where every sink stands in every shard of one stream, read from lease rows alone, and what follows from it: which sinks may start, which shards are
 * worth a lease, which have ended, what KCL's `checkpoint` says. A view of the rows of one scan.
 *
 * A row says nothing of a sink that has saved nothing there: then the sink's control row decides. Ancestors of what was listed when it began count as
 * ended; under LATEST what was listed then is read from its tip; everything else from its start, for a shard that was only missing from a listing
 * must not be skipped.
 */
import { comparePositions, type Position } from '../model/position.ts';
import type { SinkName } from '../model/units.ts';
import type { SinkStart } from '../ports/control-store.ts';
import { type LeaseKey, type LeaseRow, partsOfLeaseKey } from '../ports/lease-store.ts';
import { ancestorsOf } from './lineage.ts';

export interface PlacedSink {
  readonly name: SinkName;
  /** Of its positions in a row: `<pipeline>/<sink>`. */
  readonly key: string;
  /** Of its positions before it was renamed. */
  readonly formerKey?: string | undefined;
  readonly start: SinkStart;
}

export interface Gates {
  /** A shard without a row that is missing from a full listing taken after its children were found. */
  readonly gone: (shardId: string) => boolean;
  /** As listed, for a shard whose row is still to be made: a crash may come between the rows of a shard and of its parents. */
  readonly listedParents?: (shardId: string) => readonly string[];
  /** Whether a sink may begin this stream at all: it has ended the one before. */
  readonly mayBegin?: (sink: PlacedSink) => boolean;
}

const START: Position = { at: 'start' };
const END: Position = { at: 'end' };

export function positionKey(pipeline: string, sink: SinkName): string {
  return `${pipeline}/${sink}`;
}

export class SinkPositions {
  readonly #rows: Map<string, LeaseRow>;
  /** The enabled ones. */
  readonly sinks: readonly PlacedSink[];
  readonly #frontiers = new Map<SinkStart, ReadonlySet<string>>();
  readonly #ancestors = new Map<SinkStart, ReadonlySet<string>>();
  readonly #gone: Gates['gone'];
  readonly #listedParents: NonNullable<Gates['listedParents']>;
  readonly #mayBegin: NonNullable<Gates['mayBegin']>;

  constructor(rows: readonly LeaseRow[], sinks: readonly PlacedSink[], gates: Gates) {
    this.#rows = new Map(rows.map(row => [partsOfLeaseKey(row.key).shardId, row]));
    this.sinks = sinks;
    this.#gone = gates.gone;
    this.#listedParents = gates.listedParents ?? (() => []);
    this.#mayBegin = gates.mayBegin ?? (() => true);
  }

  /** By shard. */
  get rows(): ReadonlyMap<string, LeaseRow> {
    return this.#rows;
  }

  /** A row that was written since the scan, where it is newer. (Building all of this anew for each of 1,500 leases that were taken blocked for seconds.) */
  update(row: LeaseRow): void {
    const { shardId } = partsOfLeaseKey(row.key);
    if ((this.#rows.get(shardId)?.counter ?? -1) < row.counter) this.#rows.set(shardId, row);
  }

  /** What the sink has saved in this shard. */
  saved(row: LeaseRow, sink: PlacedSink): Position | undefined {
    return row.positions.get(sink.key) ?? (sink.formerKey === undefined ? undefined : row.positions.get(sink.formerKey));
  }

  position(row: LeaseRow, sink: PlacedSink): Position {
    return this.saved(row, sink) ?? this.begins(partsOfLeaseKey(row.key).shardId, sink);
  }

  /** Where a sink begins that has saved nothing in this shard. */
  begins(shardId: string, { start }: PlacedSink): Position {
    if (this.#ancestorsOf(start).has(shardId)) return END;
    if (start.position === 'LATEST' && this.#frontierOf(start).has(shardId)) return { at: 'tip', takenAt: start.takenAt };
    return START;
  }

  /** It is past this shard's start: so it has ended the parents, whatever their rows say now. */
  hasBegun(row: LeaseRow, sink: PlacedSink): boolean {
    const { at } = this.position(row, sink);
    return at !== 'start' && at !== 'tip';
  }

  /** Law 3: a child's records reach a sink only after that sink has ended the parents. One that is past the child's start has done so. */
  mayStart(row: LeaseRow, sink: PlacedSink): boolean {
    if (this.hasBegun(row, sink)) return true;
    if (!this.#mayBegin(sink)) return false;
    return row.parents.every(parent => {
      const parentRow = this.rows.get(parent);
      if (parentRow !== undefined) return this.position(parentRow, sink).at === 'end';
      return this.#gone(parent) || this.wasLeftBehind(parent, sink);
    });
  }

  /** An application had read the shard, or left it out, before its lease table was taken over: it needs no row. */
  wasLeftBehind(shardId: string, sink: PlacedSink): boolean {
    return sink.start.position === 'CHECKPOINT' && this.begins(shardId, sink).at === 'end';
  }

  /** Worth a lease: some enabled sink may start here and has not ended. */
  isRunnable(row: LeaseRow): boolean {
    return this.sinks.some(sink => this.position(row, sink).at !== 'end' && this.mayStart(row, sink));
  }

  /** Every enabled sink has ended here. */
  hasEnded(row: LeaseRow): boolean {
    return this.sinks.length > 0 && this.sinks.every(sink => this.position(row, sink).at === 'end');
  }

  /** KCL's `checkpoint`: the lowest position of the enabled sinks. */
  checkpoint(row: LeaseRow): string {
    const lowest = this.sinks
      .map(sink => this.position(row, sink))
      .reduce<Position | undefined>((low, at) => (low === undefined || comparePositions(at, low) < 0 ? at : low), undefined);
    return lowest === undefined ? row.checkpoint : checkpointText(lowest);
  }

  runnable(): ReadonlySet<LeaseKey> {
    const keys = new Set<LeaseKey>();
    for (const row of this.rows.values()) if (this.isRunnable(row)) keys.add(row.key);
    return keys;
  }

  #frontierOf(start: SinkStart): ReadonlySet<string> {
    const known = this.#frontiers.get(start) ?? new Set(start.frontier);
    this.#frontiers.set(start, known);
    return known;
  }

  /** Of what was listed when a sink began; looked up once. */
  #ancestorsOf(start: SinkStart): ReadonlySet<string> {
    const known = this.#ancestors.get(start);
    if (known !== undefined) return known;
    const found = ancestorsOf(start.frontier, shard => this.rows.get(shard)?.parents ?? this.#listedParents(shard));
    this.#ancestors.set(start, found);
    return found;
  }
}

/** KCL resumes after the number; a place that includes its record has no text of its own there, so it says: from the start. */
export function checkpointText(position: Position): string {
  switch (position.at) {
    case 'end':
      return 'SHARD_END';
    case 'after':
      return position.token;
    case 'tip':
      return 'LATEST';
    case 'start':
    case 'from':
      return 'TRIM_HORIZON';
  }
}
