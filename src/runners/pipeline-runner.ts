/**
 * One pipeline: finds its table and stream, opens its sinks, and keeps discovering. What only an operator can mend halts it with a reason; then it looks
 * again each 60 s. A stream that was replaced by a new one is read to its end, sink by sink, before the new one is begun.
 */

import type { Gap } from '../model/page.ts';
import type { Ms, SinkName } from '../model/units.ts';
import type { OpenSink } from '../pipeline/open-sink.ts';
import type { LeaseKey, LeaseRow } from '../ports/lease-store.ts';
import { partsOfLeaseKey } from '../ports/lease-store.ts';
import { onAbort } from '../ports/on-abort.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { HeldLease, LostReason } from '../shards/held-lease.ts';
import { GapBook } from './gap-book.ts';
import { openSinks } from './open-sinks.ts';
import type { PipelineRunnerParts } from './pipeline-runner-parts.ts';
import { checkViewType, type SourceTable, SourceTrouble, sourceTable, troubleOf } from './source-table.ts';
import type { StreamRunner } from './stream-runner.ts';
import { TableStreams } from './table-streams.ts';

const LOOK_AGAIN_MS: Ms = 60_000;
const DISCOVER_MS: Ms = 60_000;
/** A stream that was just made lists no shard for a moment. */
const UNLISTED_MS: Ms = 2_000;
const TROUBLED_MS: Ms = 1_000;
const TROUBLED_CAP_MS: Ms = 30_000;
const SCAN_MS: Ms = 20;

export class PipelineRunner {
  readonly name: string;
  readonly gaps: GapBook;
  readonly #parts: PipelineRunnerParts;
  readonly #streams: TableStreams;
  #sinks: ReadonlyMap<SinkName, OpenSink> = new Map();
  #rows: readonly LeaseRow[] = [];
  #state: 'starting' | 'running' | 'halted' = 'starting';
  #reason: string | undefined = 'waiting for the first look at the lease table';
  /** What a run found out since the last round. */
  #trouble: SourceTrouble | undefined;
  #wake: () => void = () => {};
  #hasRun = false;
  #opened = false;
  #surveys = 0;
  #takenOver = false;

  constructor(parts: PipelineRunnerParts) {
    this.#parts = parts;
    this.name = parts.plan.name;
    this.gaps = new GapBook({ ...parts, pipeline: this.name, signal: parts.ending });
    this.#streams = new TableStreams(parts, {
      gaps: this.gaps,
      sinks: () => this.#sinks,
      rows: () => this.#rows,
      accepts: ({ viewType }) => checkViewType(parts.plan, viewType),
      lookSoon: () => this.#wake(),
      failed: error => this.#failed(error),
    });
  }

  get plan() {
    return this.#parts.plan;
  }

  get state() {
    return this.#state;
  }

  /** Why it halts, or what it waits for. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** It has run once, so it can run. */
  get hasRun(): boolean {
    return this.#hasRun;
  }

  /** Since the first time that all its shards were read: from then on nothing that is written can be missed, not even by a sink that starts at the tip. */
  get isOpened(): boolean {
    this.#opened ||= this.#state === 'running' && this.streams.every(stream => stream.isOpened);
    return this.#opened;
  }

  get sinks(): ReadonlyMap<SinkName, OpenSink> {
    return this.#sinks;
  }

  /** Oldest first. */
  get streams(): readonly StreamRunner[] {
    return this.#streams.all;
  }

  /** Until the signal aborts. Runs that are under way then go on until `stop`. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#parts;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#round(signal);
        failures = 0;
        const waitMs = this.streams.some(({ graph }) => graph.isEmpty) ? UNLISTED_MS : DISCOVER_MS;
        await this.#sleep(waitMs * (0.8 + 0.4 * random.next()), signal);
        if (this.#trouble !== undefined) throw this.#trouble;
      } catch (error) {
        if (signal.aborted) return;
        const trouble = error instanceof SourceTrouble ? error : troubleOf(error, this.plan.source, 'the stream');
        if (trouble !== undefined) await this.#halt(trouble.message, signal);
        else if (error instanceof ServiceFault) {
          if (failures === 0) log.warn({ error: error.message }, 'the source or the state tables do not answer; trying again');
          if (this.#state === 'starting') this.#reason = error.message;
          await clock.sleep(Math.min(TROUBLED_CAP_MS, TROUBLED_MS * 2 ** failures++) * (0.5 + random.next() / 2), signal);
        } else throw error;
      }
    }
  }

  /** Takes in the rows of a scan, and says which are worth a lease. */
  survey(rows: readonly LeaseRow[]): readonly LeaseKey[] {
    this.#rows = rows;
    this.#surveys += 1;
    const worth = this.streams.flatMap(stream => [...stream.survey(rows)]);
    return this.#state === 'running' ? worth : [];
  }

  take(lease: HeldLease): void {
    this.#streamOf(lease.key)?.take(lease);
  }

  unwanted(lease: HeldLease): void {
    this.#streamOf(lease.key)?.unwanted(lease);
  }

  owns(key: LeaseKey): boolean {
    return this.#streamOf(key) !== undefined;
  }

  lost(lease: HeldLease, reason: LostReason): void {
    this.#streamOf(lease.key)?.lost(lease, reason);
  }

  /** Whether every write has settled and every lease was given back. */
  async stop(drainMs: Ms): Promise<boolean> {
    const ends = await Promise.all(this.streams.map(stream => stream.stop(drainMs)));
    return ends.every(settled => settled);
  }

  #streamOf(key: LeaseKey): StreamRunner | undefined {
    return this.#streams.get(partsOfLeaseKey(key).streamArn);
  }

  /** One look at the table and a pass over each of its streams. */
  async #round(signal: AbortSignal): Promise<void> {
    const { plan, log, keeper, scanned } = this.#parts;
    await scanned;
    this.#trouble = undefined;
    const table = await this.#found(signal);
    if (this.#sinks.size === 0) {
      if (table?.viewType !== undefined) checkViewType(plan, table.viewType);
      await this.gaps.load(signal);
      this.#sinks = openSinks(this.#parts, table?.tableId ?? '');
    }
    if (table !== undefined) await this.#takeOver(table.streamArn, signal);
    await this.#streams.follow(table?.streamArn, signal);
    await this.#streams.pass(table?.viewType === undefined, signal);
    const before = this.#state;
    this.#state = 'running';
    this.#hasRun = true;
    this.#reason = table === undefined ? 'the table is not there any more; what its stream still holds is read' : this.#streams.drained();
    if (before === 'running') return;
    if (before === 'halted') log.info({}, 'the pipeline goes on');
    for (const stream of this.streams) stream.resume();
    keeper.nudge();
  }

  /** In mode kcl-takeover, once. A scan that was under way meanwhile must not be taken for the newest: the second one from now on is newer. */
  async #takeOver(streamArn: string, signal: AbortSignal): Promise<void> {
    const { takeover, plan, apis, keeper, clock } = this.#parts;
    if (takeover === undefined || this.#takenOver) return;
    const lost = (partition: string, sinks: readonly SinkName[], gap: Gap) =>
      this.gaps.lose({ streamArn, partition, sinks, gap }, { plan, sinks: this.#sinks });
    await takeover.begin({ plan, streamArn, streams: apis.streams, lost }, signal);
    for (let scans = 0; scans < 2; scans++) {
      const before = this.#surveys;
      keeper.nudge();
      while (this.#surveys === before && !signal.aborted) await clock.sleep(SCAN_MS, signal);
    }
    this.#takenOver = true;
  }

  /** Undefined when the table was deleted, but a stream of it may still be read, for a day. */
  async #found(signal: AbortSignal): Promise<SourceTable | undefined> {
    const { plan, apis, clock } = this.#parts;
    try {
      return await sourceTable(plan.source, { tables: apis.tables, clock }, signal);
    } catch (error) {
      const isMissing = error instanceof SourceTrouble && error.cause instanceof ServiceFault && error.cause.class === 'missing';
      if (!isMissing || !(await this.#streams.anyLeft(signal))) throw error;
      return undefined;
    }
  }

  /** Something of a run that it did not foresee: what only an operator can mend halts the pipeline, anything else is our mistake. */
  #failed(error: unknown): void {
    if (!(error instanceof ServiceFault)) {
      this.#parts.fatal(error);
      return;
    }
    this.#trouble ??= troubleOf(error, this.plan.source, 'the stream') ?? new SourceTrouble(`the stream cannot be read: ${error.message}`);
    this.#state = 'halted';
    this.#wake();
  }

  /** Lets everything go, and waits. */
  async #halt(reason: string, signal: AbortSignal): Promise<void> {
    const { log, clock, drainMs, keeper } = this.#parts;
    if (reason !== this.#reason) log.error({}, `the pipeline halts: ${reason}`);
    this.#state = 'halted';
    this.#reason = reason;
    this.#parts.halted();
    await this.stop(drainMs);
    keeper.nudge();
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }

  /** Until the time is over, or a run finds out that the pipeline has to halt. */
  async #sleep(ms: Ms, signal: AbortSignal): Promise<void> {
    if (this.#trouble !== undefined) return;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const deafen = onAbort(signal, this.#wake);
    await this.#parts.clock.sleep(ms, woken.signal);
    deafen();
    this.#wake = () => {};
  }
}
