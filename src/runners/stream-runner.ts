/**
 * One stream of a pipeline: its listings, its lease rows, and the runs of the shards that are held here. It makes rows for what is listed, says which
 * rows are worth a lease, begins and ends runs, and lets each sink into a shard when that sink has ended the shard's parents.
 */
import type { Ms, SinkName } from '../model/units.ts';
import type { LeaseKey, LeaseRow, NewLease } from '../ports/lease-store.ts';
import { leaseKey, partsOfLeaseKey } from '../ports/lease-store.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { StreamDescription } from '../ports/stream-api.ts';
import type { HeldLease, LostReason } from '../shards/held-lease.ts';
import { missingRows, newLease } from '../shards/row-plan.ts';
import { type PlacedSink, SinkPositions } from '../shards/sink-positions.ts';
import { placedSink } from './begun-sinks.ts';
import { ListingDuty } from './listing-duty.ts';
import { persist } from './persist.ts';
import { sweepRows } from './row-sweep.ts';
import type { ShardGraph } from './shard-graph.ts';
import { openShard } from './shard-opening.ts';
import type { ShardRun } from './shard-run.ts';
import { keptStarts, type Starts, sayWhereSinksGoOn, sinkStarts } from './sink-starts.ts';
import { StreamListing } from './stream-listing.ts';
import type { StreamRunnerParts } from './stream-runner-parts.ts';
import { keepCollectedShards, keepUnseenShards } from './unseen-shards.ts';

const ROWS_AT_ONCE = 16;
/** A shard that is handed over is unread for this long at most, and a while. */
const HAND_OVER_MS: Ms = 400;

export class StreamRunner {
  readonly arn: string;
  readonly #parts: StreamRunnerParts;
  readonly #listing: StreamListing;
  readonly #duty: ListingDuty;
  readonly #runs = new Map<LeaseKey, ShardRun>();
  /** Runs whose lease was lost, until nothing of them can reach a target. */
  readonly #abandoned = new Set<Promise<void>>();
  #starts: Starts | undefined;
  #positions: SinkPositions;
  #stopping = false;

  constructor(parts: StreamRunnerParts) {
    this.#parts = parts;
    this.arn = parts.arn;
    this.#listing = new StreamListing({ ...parts, streams: parts.apis.streams });
    this.#duty = new ListingDuty({ ...parts, graph: this.graph });
    this.#positions = this.#placed([]);
  }

  get runs(): readonly ShardRun[] {
    return [...this.#runs.values()];
  }

  get positions(): SinkPositions {
    return this.#positions;
  }

  /** Its shards can be read here. */
  get isReady(): boolean {
    return this.#starts !== undefined && !this.#stopping && !this.graph.streamGone;
  }

  get graph(): ShardGraph {
    return this.#listing.graph;
  }

  /** Nothing more will come, and this sink has all of it. */
  hasEnded(name: SinkName): boolean {
    if (!this.graph.isClosed) return false;
    if (this.#starts === undefined) return this.graph.streamGone;
    const sink = this.#positions.sinks.find(placed => placed.name === name);
    if (sink === undefined) return true;
    // Rows that were just made are not in the last scan yet.
    return (
      [...this.#positions.rows.values()].every(row => this.#positions.position(row, sink).at === 'end') && this.#missing().length === 0
    );
  }

  get isDrained(): boolean {
    return [...this.#parts.sinks.keys()].every(name => this.hasEnded(name));
  }

  /** Every listed shard has its row, every row that is worth a lease has an owner, and every shard that is held here has had an answer. */
  get isOpened(): boolean {
    if (this.#starts === undefined) return this.graph.streamGone;
    if (!this.runs.every(run => run.isOpened)) return false;
    const { held } = this.#parts.keeper;
    const free = [...this.#positions.rows.values()].filter(row => row.owner === undefined && !held.has(row.key));
    return !free.some(row => this.#positions.isRunnable(row)) && this.#missing().length === 0;
  }

  /** A full listing where one is due here, and everything that follows from it. The first one decides where sinks begin. */
  async pass(closing: boolean, signal: AbortSignal): Promise<void> {
    if (this.#starts !== undefined && !closing && !this.#duty.isDue(this.#positions)) return;
    this.#duty.begun();
    const description = await this.#listing.list();
    this.#duty.done();
    const isFirst = this.#starts === undefined;
    if (isFirst) await this.#begin(description, signal);
    const hasRow = (shard: string) => this.#positions.rows.has(shard);
    if (this.graph.needsSecondLook(hasRow) || (isFirst && this.#waitsForUnknown())) await this.#listing.list();
    this.#see([...this.#positions.rows.values()]);
    const rows = this.#missing();
    const isUnseen = (shard: string) => !this.#positions.rows.has(shard) && this.graph.isGone(shard);
    const unseen = { ...this.#parts, begun: this.#starts?.begun ?? new Set(), isUnseen };
    await keepUnseenShards(rows, unseen, signal);
    if (isFirst) await keepCollectedShards(this.#positions, unseen);
    await this.#make(rows, signal);
    await sweepRows(this.#positions, { ...this.#parts, graph: this.graph }, signal);
  }

  /** Takes in the rows of a scan, and says which are worth a lease. */
  survey(rows: readonly LeaseRow[]): ReadonlySet<LeaseKey> {
    this.#see(rows);
    if (!this.isReady) return new Set();
    if (this.#duty.isOverdue) this.#parts.lookSoon();
    this.#admit();
    return this.#positions.runnable();
  }

  take(lease: HeldLease): void {
    const { shardId } = partsOfLeaseKey(lease.key);
    for (const shard of [shardId, ...lease.row.parents]) this.#refresh(shard);
    const run = openShard({
      parts: this.#parts,
      lease,
      listing: this.#listing,
      positions: () => this.#positions,
      tipIterator: takenAt => this.#starts?.tips?.take(shardId, takenAt),
      make: (children, signal) =>
        this.#make(
          children.map(child => newLease(this.arn, child)),
          signal,
        ),
      ended: () => this.#onEnd(shardId),
      over: over => {
        if (this.#runs.get(lease.key) === over) this.#runs.delete(lease.key);
      },
      failed: error => this.#failed(error),
    });
    this.#runs.set(lease.key, run);
    run.start();
  }

  unwanted(lease: HeldLease): void {
    const run = this.#runs.get(lease.key);
    const gone = run === undefined ? lease.release() : run.stop(this.#parts.drainMs);
    gone.catch(this.#parts.failed);
  }

  /** It belongs to another worker, who goes on within a second. */
  handOver(lease: HeldLease, target: string): void {
    const run = this.#runs.get(lease.key);
    const gone = run === undefined ? lease.release(target) : run.stop(Math.min(HAND_OVER_MS, this.#parts.drainMs), target);
    gone.catch(this.#parts.failed);
  }

  lost(lease: HeldLease, reason: LostReason): void {
    const { log, keeper, failed } = this.#parts;
    const run = this.#runs.get(lease.key);
    if (run === undefined) return;
    if (reason === 'row-gone') {
      log.error(
        { shardId: run.shardId },
        'somebody deleted the row of a lease that is held; it is made again, and read from the oldest record',
      );
      this.#wantListing();
    } else log.warn({ shardId: run.shardId, reason }, 'the lease is lost; its run ends at once');
    const settled = run.abandon();
    this.#abandoned.add(settled);
    settled.then(() => this.#abandoned.delete(settled), failed);
    keeper.holdBack(lease.key, settled);
  }

  /** Ends all runs and gives their leases back; false when some write would not settle. */
  async stop(drainMs: Ms): Promise<boolean> {
    this.#stopping = true;
    const { clock, ending } = this.#parts;
    const ends = Promise.all(this.runs.map(run => run.stop(drainMs)));
    const abandoned = Promise.all(this.#abandoned).then(() => true);
    const settled = await Promise.race([abandoned, clock.sleep(drainMs, ending).then(() => false)]);
    return !(await ends).includes('unsettled') && settled;
  }

  /** After a stop: takes leases again. */
  resume(): void {
    this.#stopping = false;
  }

  async #begin(description: StreamDescription | undefined, signal: AbortSignal): Promise<void> {
    const asked = { ...this.#parts, streams: this.#parts.apis.streams };
    if (description === undefined) {
      this.#starts = await keptStarts(asked, signal);
      return;
    }
    this.#parts.accepts(description);
    this.#starts = await sinkStarts({ ...asked, description }, signal);
    this.#see([...this.#positions.rows.values()]);
    sayWhereSinksGoOn(this.#positions, { ...this.#parts, begun: this.#starts.begun, now: description.servedAt });
  }

  /** Some sink has not come to a row whose parent is not known here. */
  #waitsForUnknown(): boolean {
    const { rows, sinks } = this.#positions;
    const isUnknown = (shard: string) => !rows.has(shard) && !this.graph.isGone(shard) && !this.graph.listed.has(shard);
    return [...rows.values()].some(row => row.parents.some(isUnknown) && sinks.some(sink => !this.#positions.hasBegun(row, sink)));
  }

  #wantListing(): void {
    this.#duty.want();
    this.#parts.lookSoon();
  }

  #missing(): readonly NewLease[] {
    return missingRows(this.arn, this.graph.streamGone ? [] : (this.graph.last?.shards ?? []), this.#positions);
  }

  async #make(rows: readonly NewLease[], signal: AbortSignal): Promise<void> {
    const { leases, keeper } = this.#parts;
    const insist = { ...this.#parts, what: 'the lease table, to make a row' };
    // Ancestors come first in the list, and rows of one batch are made before the next is begun.
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
      const batch = rows.slice(at, at + ROWS_AT_ONCE);
      await Promise.all(batch.map(row => persist(() => leases.create(row, signal), insist, signal)));
    }
    if (rows.length > 0) keeper.nudge();
  }

  /** The rows of a scan, but newer where a lease is held here. */
  #see(rows: readonly LeaseRow[]): void {
    const { held } = this.#parts.keeper;
    const own = rows
      .filter(row => partsOfLeaseKey(row.key).streamArn === this.arn)
      .map(row => {
        const ours = held.get(row.key)?.row;
        return ours !== undefined && ours.counter > row.counter ? ours : row;
      });
    this.#positions = this.#placed(own);
  }

  /** The row of one shard, where it is held here. */
  #refresh(shardId: string): void {
    const ours = this.#parts.keeper.held.get(leaseKey(this.arn, shardId))?.row;
    if (ours !== undefined) this.#positions.update(ours);
  }

  #placed(rows: readonly LeaseRow[]): SinkPositions {
    const { plan, mayBegin } = this.#parts;
    const sinks = plan.sinks.flatMap((sink): PlacedSink[] => {
      const start = this.#starts?.bySink.get(sink.name);
      if (!sink.enabled || start === undefined) return [];
      return [placedSink(plan.name, start, sink.renamedFrom)];
    });
    const gates = {
      gone: (shard: string) => this.graph.isGone(shard),
      listedParents: (shard: string) => this.graph.parentsOf(shard),
      mayBegin: (sink: PlacedSink) => mayBegin(sink.name),
    };
    return new SinkPositions(rows, sinks, gates);
  }

  #admit(): void {
    for (const run of this.#runs.values()) {
      run.look();
      const row = this.#positions.rows.get(run.shardId);
      if (row !== undefined) this.#admitTo(run, row);
    }
  }

  #admitTo(run: ShardRun, row: LeaseRow): void {
    for (const sink of this.#positions.sinks) if (this.#positions.mayStart(row, sink)) run.admit(sink.name);
  }

  /** A sink has ended a shard: its children may go on, also where another worker has them. */
  #onEnd(shardId: string): void {
    this.#refresh(shardId);
    for (const row of this.#positions.rows.values()) {
      if (!row.parents.includes(shardId)) continue;
      const run = this.#runs.get(row.key);
      if (run !== undefined) this.#admitTo(run, row);
      else if (row.owner !== undefined) this.#parts.keeper.ring(row.owner);
    }
    this.#parts.keeper.nudge();
  }

  /** A stream that has gone ends its shards at the next pass; it says nothing of the table. */
  #failed(error: unknown): void {
    if (error instanceof ServiceFault && error.class === 'missing' && this.graph.streamGone) this.#wantListing();
    else this.#parts.failed(error);
  }
}
