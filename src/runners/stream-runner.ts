/**
 * One stream of a pipeline: its listings, its lease rows, and the runs of the shards that are held here. It makes rows for what is listed, says which
 * rows are worth a lease, begins and ends runs, and lets each sink into a shard when that sink has ended the shard's parents.
 */
import type { Gap } from '../model/page.ts';
import type { Ms, SinkName } from '../model/units.ts';
import type { LeaseKey, LeaseRow } from '../ports/lease-store.ts';
import { partsOfLeaseKey } from '../ports/lease-store.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { ShardListing, StreamDescription } from '../ports/stream-api.ts';
import { isLostTo } from '../shards/gap-scope.ts';
import type { HeldLease, LostReason } from '../shards/held-lease.ts';
import { missingRows, newLease } from '../shards/row-plan.ts';
import { type PlacedSink, positionKey, SinkPositions } from '../shards/sink-positions.ts';
import { lineageReader } from './lineage-reader.ts';
import { persist } from './persist.ts';
import { sweepRows } from './row-sweep.ts';
import { shardChildren } from './shard-children.ts';
import { ShardGraph } from './shard-graph.ts';
import { shardProgress } from './shard-progress.ts';
import { openReader } from './shard-readers.ts';
import { ShardRun } from './shard-run.ts';
import { type Starts, sinkStarts } from './sink-starts.ts';
import type { StreamRunnerParts } from './stream-runner-parts.ts';

const ROWS_AT_ONCE = 16;

export class StreamRunner {
  readonly arn: string;
  readonly graph = new ShardGraph();
  readonly #parts: StreamRunnerParts;
  readonly #runs = new Map<LeaseKey, ShardRun>();
  #starts: Starts | undefined;
  #rows: readonly LeaseRow[] = [];
  #positions: SinkPositions;
  #listing: Promise<StreamDescription | undefined> | undefined;
  #stopping = false;

  constructor(parts: StreamRunnerParts) {
    this.#parts = parts;
    this.arn = parts.arn;
    this.#positions = this.#placed();
  }

  get runs(): Iterable<ShardRun> {
    return this.#runs.values();
  }

  get positions(): SinkPositions {
    return this.#positions;
  }

  /** Nothing more will come, and this sink has all of it. */
  hasEnded(sink: SinkName): boolean {
    if (!this.graph.isClosed || this.#starts === undefined) return false;
    const placed = this.#positions.sinks.find(({ name }) => name === sink);
    if (placed === undefined) return true;
    return [...this.#positions.rows.values()].every(row => this.#positions.position(row, placed).at === 'end');
  }

  get isDrained(): boolean {
    return this.#starts !== undefined && this.#positions.sinks.every(({ name }) => this.hasEnded(name));
  }

  /** A full listing, and everything that follows from it. The first one decides where sinks begin. */
  async pass(signal: AbortSignal): Promise<void> {
    const description = await this.#list(signal);
    if (this.#starts === undefined && description !== undefined) {
      this.#parts.accepts(description);
      this.#starts = await sinkStarts({ ...this.#parts, description, log: this.#parts.log }, signal);
    }
    this.#see(this.#rows);
    if (this.graph.needsSecondLook(shard => this.#positions.rows.has(shard))) await this.#list(signal);
    this.#see(this.#rows);
    const missing = missingRows(this.arn, this.graph.streamGone ? [] : (this.graph.last?.shards ?? []), this.#positions);
    await this.#make(missing, signal);
    await sweepRows(this.#positions, { ...this.#parts, streamArn: this.arn, graph: this.graph, held: this.#parts.keeper.held }, signal);
  }

  /** Takes in the rows of a scan, and says which are worth a lease. */
  survey(rows: readonly LeaseRow[]): ReadonlySet<LeaseKey> {
    this.#see(rows);
    if (this.#stopping || this.#starts === undefined) return new Set();
    this.#admit();
    return this.#positions.runnable();
  }

  take(lease: HeldLease): void {
    this.#see(this.#rows);
    const run = this.#open(lease);
    this.#runs.set(lease.key, run);
    run.start();
  }

  unwanted(lease: HeldLease): void {
    const run = this.#runs.get(lease.key);
    if (run === undefined) void lease.release();
    else run.stop(this.#parts.drainMs).catch(this.#parts.failed);
  }

  lost(lease: HeldLease, reason: LostReason): void {
    const { log, keeper, failed } = this.#parts;
    const run = this.#runs.get(lease.key);
    if (run === undefined) return;
    log.warn({ shardId: run.shardId, reason }, 'the lease is lost; its run ends at once');
    const settled = run.abandon();
    settled.catch(failed);
    keeper.holdBack(lease.key, settled);
  }

  /** Ends all runs and gives their leases back; false when some write would not settle. */
  async stop(drainMs: Ms): Promise<boolean> {
    this.#stopping = true;
    const ends = await Promise.all([...this.#runs.values()].map(run => run.stop(drainMs)));
    return !ends.includes('unsettled');
  }

  /** After a stop: takes leases again. */
  resume(): void {
    this.#stopping = false;
  }

  /** One listing at a time, for discovery and for shards that have ended. */
  #list(signal: AbortSignal): Promise<StreamDescription | undefined> {
    this.#listing ??= this.#describe(signal).finally(() => {
      this.#listing = undefined;
    });
    return this.#listing;
  }

  async #describe(signal: AbortSignal): Promise<StreamDescription | undefined> {
    const { apis, log } = this.#parts;
    let description: StreamDescription | undefined;
    try {
      description = await apis.streams.describe(this.arn, signal);
    } catch (error) {
      if (!(error instanceof ServiceFault) || error.class !== 'missing') throw error;
      if (!this.graph.streamGone) log.warn({ streamArn: this.arn }, 'the stream is gone');
    }
    this.graph.look(description);
    return description;
  }

  async #make(rows: readonly ReturnType<typeof newLease>[], signal: AbortSignal): Promise<void> {
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
    const keys = new Set<LeaseKey>();
    const own = rows.filter(row => partsOfLeaseKey(row.key).streamArn === this.arn);
    this.#rows = own.map(row => {
      keys.add(row.key);
      const lease = held.get(row.key);
      return lease !== undefined && lease.row.counter > row.counter ? lease.row : row;
    });
    this.#positions = this.#placed();
  }

  #placed(): SinkPositions {
    const { plan, mayBegin } = this.#parts;
    const sinks = plan.sinks.flatMap((sink): PlacedSink[] => {
      const start = this.#starts?.bySink.get(sink.name);
      if (!sink.enabled || start === undefined) return [];
      const formerKey = sink.renamedFrom === undefined ? undefined : positionKey(plan.name, sink.renamedFrom);
      return [{ name: sink.name, key: positionKey(plan.name, sink.name), formerKey, start }];
    });
    return new SinkPositions(this.#rows, sinks, { gone: shard => this.graph.isGone(shard), mayBegin: sink => mayBegin(sink.name) });
  }

  #admit(): void {
    for (const run of this.#runs.values()) {
      const row = this.#positions.rows.get(run.shardId);
      if (row === undefined) continue;
      for (const sink of this.#positions.sinks) if (this.#positions.mayStart(row, sink)) run.admit(sink.name);
    }
  }

  #open(lease: HeldLease): ShardRun {
    const parts = this.#parts;
    const { plan, clock, random, observer, budget } = parts;
    const { shardId } = partsOfLeaseKey(lease.key);
    const positions = this.#positions;
    const labels = { pipeline: plan.name, table: plan.source.table, partition: shardId };
    const log = parts.log.child({ shardId });
    let children = lease.row.children;
    const run: ShardRun = new ShardRun({
      lease,
      clock,
      over: () => this.#runs.get(lease.key) === run && this.#runs.delete(lease.key),
      failed: parts.failed,
      run: {
        labels,
        sinks: [...parts.sinks.values()],
        admitted: new Set(positions.sinks.filter(sink => positions.mayStart(lease.row, sink)).map(({ name }) => name)),
        startAt: sink => this.#begins(shardId, sink),
        reader: lineageReader(openReader({ ...parts, labels, log, row: lease.row, graph: this.graph, freshTips: this.#starts?.freshTips }), async () => {
          if (children.length === 0) children = await this.#children(shardId, run.signal);
        }),
        progress: shardProgress({ pipeline: plan.name, lease, clock, positions: () => this.#positions, children: () => children }),
        budget,
        clock,
        random,
        log,
        observer,
        replayedBefore: lease.row.counter > 1 ? clock.now() + REPLAY_SKEW_MS : 0,
        onEnd: () => this.#onEnd(),
        onGap: (sinks, gap) => this.#onGap(lease, sinks, gap),
      },
    });
    return run;
  }

  #begins(shardId: string, name: SinkName) {
    const sink = this.#positions.sinks.find(placed => placed.name === name);
    if (sink === undefined) throw new Error(`sink ${name} has no start in ${this.arn}`);
    return this.#positions.begins(shardId, sink);
  }

  #children(shardId: string, signal: AbortSignal): Promise<readonly string[]> {
    const parts = this.#parts;
    return shardChildren(
      shardId,
      {
        ...parts,
        streamArn: this.arn,
        streams: parts.apis.streams,
        list: abort => this.#list(abort),
        make: (children: readonly ShardListing[], abort) => this.#make(children.map(child => newLease(this.arn, child)), abort),
      },
      signal,
    );
  }

  /** A sink has ended a shard: its children may go on. */
  #onEnd(): void {
    this.#see(this.#rows);
    this.#admit();
    this.#parts.keeper.nudge();
  }

  async #onGap(lease: HeldLease, names: readonly SinkName[], gap: Gap): Promise<void> {
    const { plan, gaps, sinks } = this.#parts;
    const { shardId } = partsOfLeaseKey(lease.key);
    const lost = this.#positions.sinks.filter(
      sink => names.includes(sink.name) && isLostTo({ start: sink.start, position: this.#positions.position(lease.row, sink) }, shardId, gap),
    );
    const lostNames = lost.map(({ name }) => name);
    await gaps.add({ table: plan.source.table, streamArn: this.arn, partition: shardId, sinks: lostNames, gap });
    if (plan.source.onGap === 'halt') for (const name of lostNames) sinks.get(name)?.halt(`records were lost: ${gap.note}`, false);
  }
}

/** Clocks differ, and a record's time is cut: a little more may count as given before. */
const REPLAY_SKEW_MS: Ms = 2_000;
