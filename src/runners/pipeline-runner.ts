/**
 * One pipeline: finds its table and stream, opens its sinks, and keeps discovering. What only an operator can mend halts it with a reason; then it looks
 * again each 60 s. A stream that was replaced by a new one is read to its end, sink by sink, before the new one is begun.
 */
import type { Gap } from '../model/page.ts';
import type { Ms, SinkName } from '../model/units.ts';
import type { OpenSink } from '../pipeline/open-sink.ts';
import type { StreamRow } from '../ports/control-store.ts';
import type { LeaseKey, LeaseRow } from '../ports/lease-store.ts';
import { partsOfLeaseKey } from '../ports/lease-store.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { HeldLease, LostReason } from '../shards/held-lease.ts';
import { GapBook } from './gap-book.ts';
import { openSinks } from './open-sinks.ts';
import type { PipelineRunnerParts } from './pipeline-runner-parts.ts';
import { checkViewType, SourceTrouble, sourceTable, troubleOf } from './source-table.ts';
import { StreamRunner } from './stream-runner.ts';

const LOOK_AGAIN_MS: Ms = 60_000;
const DISCOVER_MS: Ms = 60_000;
const TROUBLED_MS: Ms = 1_000;
const TROUBLED_CAP_MS: Ms = 30_000;

export class PipelineRunner {
  readonly name: string;
  readonly gaps: GapBook;
  readonly #parts: PipelineRunnerParts;
  readonly #streams = new Map<string, StreamRunner>();
  #sinks: ReadonlyMap<SinkName, OpenSink> = new Map();
  #rows: readonly LeaseRow[] = [];
  #state: 'starting' | 'running' | 'halted' = 'starting';
  #reason: string | undefined;
  #halts: ((reason: string) => void) | undefined;
  /** It has run once, so it can run. */
  #hasRun = false;

  constructor(parts: PipelineRunnerParts) {
    this.#parts = parts;
    this.name = parts.plan.name;
    this.gaps = new GapBook({ ...parts, pipeline: this.name, signal: parts.ending });
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

  get hasRun(): boolean {
    return this.#hasRun;
  }

  get sinks(): ReadonlyMap<SinkName, OpenSink> {
    return this.#sinks;
  }

  get streams(): Iterable<StreamRunner> {
    return this.#streams.values();
  }

  /** Until the signal aborts. Runs that are under way then go on until `stop`. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#parts;
    let tries = 0;
    while (!signal.aborted) {
      try {
        await this.#round(signal);
        tries = 0;
        await this.#sleep(DISCOVER_MS * (0.8 + 0.4 * random.next()), signal);
      } catch (error) {
        if (signal.aborted) return;
        const trouble = error instanceof SourceTrouble ? error : troubleOf(error, this.plan.source, 'the stream');
        if (trouble !== undefined) await this.#halt(trouble.message, signal);
        else if (error instanceof ServiceFault) {
          if (tries === 0) log.warn({ error: error.message }, 'the source or the state tables do not answer; trying again');
          if (this.#state === 'starting') this.#reason = error.message;
          await clock.sleep(Math.min(TROUBLED_CAP_MS, TROUBLED_MS * 2 ** tries++) * (0.5 + random.next() / 2), signal);
        } else throw error;
      }
    }
  }

  survey(rows: readonly LeaseRow[]): readonly LeaseKey[] {
    this.#rows = rows;
    const worth = [...this.#streams.values()].map(stream => stream.survey(rows));
    return this.#state === 'running' ? worth.flatMap(keys => [...keys]) : [];
  }

  take(lease: HeldLease): void {
    this.#streamOf(lease)?.take(lease);
  }

  unwanted(lease: HeldLease): void {
    this.#streamOf(lease)?.unwanted(lease);
  }

  lost(lease: HeldLease, reason: LostReason): void {
    this.#streamOf(lease)?.lost(lease, reason);
  }

  /** Whether every write has settled and every lease was given back. */
  async stop(drainMs: Ms): Promise<boolean> {
    const ends = await Promise.all([...this.#streams.values()].map(stream => stream.stop(drainMs)));
    return ends.every(settled => settled);
  }

  #streamOf(lease: HeldLease): StreamRunner | undefined {
    return this.#streams.get(partsOfLeaseKey(lease.key).streamArn);
  }

  /** One look at the table and a pass over each of its streams. */
  async #round(signal: AbortSignal): Promise<void> {
    const { plan, apis, clock, log, keeper } = this.#parts;
    const table = await sourceTable(plan.source, { tables: apis.tables, clock }, signal);
    if (this.#sinks.size === 0) {
      await this.gaps.load(signal);
      this.#sinks = openSinks(this.#parts, table.tableId);
    }
    await this.#follow(table.streamArn, signal);
    for (const stream of this.#streams.values()) await stream.pass(signal);
    await this.#retire(signal);
    const resumed = this.#state !== 'running';
    if (this.#state === 'halted') log.info({}, 'the pipeline goes on');
    this.#state = 'running';
    this.#hasRun = true;
    this.#reason = this.#drained();
    if (resumed) for (const stream of this.#streams.values()) stream.resume();
    if (resumed) keeper.nudge();
  }

  /** Opens the streams that are known and not read to their end, and the newest. */
  async #follow(newest: string, signal: AbortSignal): Promise<void> {
    if (this.#streams.has(newest)) return;
    const { control, clock, plan } = this.#parts;
    const known = await control.streams(this.name, signal);
    const ofTable = known.filter(({ table }) => table === plan.source.table);
    for (const row of ofTable) if (row.drainedAt === undefined) this.#open(row.arn, ofTable);
    if (ofTable.some(({ arn }) => arn === newest)) return;
    const old = ofTable.at(-1);
    if (old !== undefined) await this.#replaced(old, newest);
    const row: StreamRow = { pipeline: this.name, table: plan.source.table, arn: newest, firstSeenAt: clock.now() };
    const stream = this.#open(newest, ofTable);
    // Known only once sinks have their starts in it: a crash between the two decides again.
    await stream.pass(signal);
    await control.putStream(row, signal);
  }

  #open(arn: string, known: readonly StreamRow[]): StreamRunner {
    const standing = this.#streams.get(arn);
    if (standing !== undefined) return standing;
    const { plan } = this.#parts;
    const older = [...this.#streams.values()];
    const stream = new StreamRunner({
      ...this.#parts,
      arn,
      pipeline: this.name,
      table: plan.source.table,
      gaps: this.gaps,
      sinks: this.#sinks,
      firstStart: known.length === 0,
      accepts: description => checkViewType(plan, description.viewType),
      mayBegin: sink => older.every(one => one.hasEnded(sink)),
      failed: error => this.#failed(error),
    });
    this.#streams.set(arn, stream);
    stream.survey(this.#rows);
    return stream;
  }

  /** What was written between the two streams is in neither. */
  async #replaced(old: StreamRow, newest: string): Promise<void> {
    const { plan, clock } = this.#parts;
    const gap: Gap = {
      reason: 'stream-replaced',
      at: clock.now(),
      note: `the stream of table ${plan.source.table} was replaced: ${old.arn} ends, ${newest} begins; what was written between them is in neither`,
    };
    await this.gaps.add({ table: plan.source.table, streamArn: old.arn, sinks: [...this.#sinks.keys()], gap });
    if (plan.source.onGap === 'halt') for (const sink of this.#sinks.values()) sink.halt(`records were lost: ${gap.note}`, false);
  }

  /** A stream that was replaced and read to its end is not looked at any more. */
  async #retire(signal: AbortSignal): Promise<void> {
    const { control, clock, log } = this.#parts;
    const newest = [...this.#streams.keys()].at(-1);
    for (const [arn, stream] of this.#streams) {
      if (arn === newest || !stream.isDrained) continue;
      const row = (await control.streams(this.name, signal)).find(known => known.arn === arn);
      if (row !== undefined) await control.putStream({ ...row, drainedAt: clock.now() }, signal);
      this.#streams.delete(arn);
      log.info({ streamArn: arn }, 'the old stream has been read to its end');
    }
  }

  #drained(): string | undefined {
    const newest = [...this.#streams.values()].at(-1);
    if (newest === undefined || !newest.graph.isClosed || !newest.isDrained) return undefined;
    return `the stream of table ${this.plan.source.table} is disabled and has been read to its end; enable it again`;
  }

  #failed(error: unknown): void {
    const trouble = troubleOf(error, this.plan.source, 'the stream');
    if (trouble !== undefined) this.#halts?.(trouble.message);
    else this.#parts.fatal(error);
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

  /** Until the time is over, or a run finds out that the pipeline has to halt: then it throws that. */
  async #sleep(ms: Ms, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const wake = () => woken.abort();
    signal.addEventListener('abort', wake);
    let trouble: string | undefined;
    this.#halts = reason => {
      trouble ??= reason;
      wake();
    };
    await this.#parts.clock.sleep(ms, woken.signal);
    signal.removeEventListener('abort', wake);
    if (trouble !== undefined) throw new SourceTrouble(trouble);
  }
}
