/**
 * The streams that one table has had, oldest first. A table gets a new one when its stream was disabled and enabled again, or when it was made anew or
 * restored: what was written between the two is in neither, which is kept as a gap. The old one is read to its end, sink by sink, before the new one.
 */
import type { Gap } from '../model/page.ts';
import { byMaking } from '../model/stream-arn.ts';
import type { SinkName } from '../model/units.ts';
import type { OpenSink } from '../pipeline/open-sink.ts';
import type { SinkStart, StreamRow } from '../ports/control-store.ts';
import { type LeaseRow, partsOfLeaseKey } from '../ports/lease-store.ts';
import type { StreamDescription } from '../ports/stream-api.ts';
import { RETENTION_MS } from '../shards/gap-scope.ts';
import { begunBy, isAwaited, isOfTable } from './begun-sinks.ts';
import type { GapBook } from './gap-book.ts';
import type { PipelineRunnerParts } from './pipeline-runner-parts.ts';
import { StreamRunner } from './stream-runner.ts';

export interface TableStreamsHost {
  readonly gaps: GapBook;
  readonly sinks: () => ReadonlyMap<SinkName, OpenSink>;
  readonly rows: () => readonly LeaseRow[];
  readonly accepts: (description: StreamDescription) => void;
  readonly lookSoon: () => void;
  readonly failed: (error: unknown) => void;
}

export class TableStreams {
  readonly #parts: PipelineRunnerParts;
  readonly #host: TableStreamsHost;
  readonly #streams = new Map<string, StreamRunner>();
  readonly #written = new Set<string>();

  constructor(parts: PipelineRunnerParts, host: TableStreamsHost) {
    this.#parts = parts;
    this.#host = host;
  }

  get all(): readonly StreamRunner[] {
    return [...this.#streams.values()];
  }

  get(arn: string): StreamRunner | undefined {
    return this.#streams.get(arn);
  }

  /** Whether some stream of the table has not been read to its end. */
  async anyLeft(signal: AbortSignal): Promise<boolean> {
    if (this.#streams.size > 0) return this.all.some(stream => !stream.isDrained);
    return (await this.#known(signal)).some(({ drainedAt }) => drainedAt === undefined);
  }

  /**
   * Opens those that are known and not read to their end, and the newest, where the table still is. One that was read to its end may still hold what a
   * sink has not read that was disabled then, for as long as streams are kept; after that its rows say what such a sink has lost.
   */
  async follow(newest: string | undefined, signal: AbortSignal): Promise<void> {
    if (newest === undefined ? this.#streams.size > 0 : this.#streams.has(newest)) return;
    const rows = await this.#known(signal);
    for (const { arn } of rows) this.#written.add(arn);
    const { clock, control, plan } = this.#parts;
    const starts = await control.sinkStarts(plan.name, signal);
    const known = [...rows, ...this.#begun(newest, starts)].sort(byMaking);
    const withRows = new Set(this.#host.rows().map(({ key }) => partsOfLeaseKey(key).streamArn));
    for (const stream of known) {
      const { arn, drainedAt } = stream;
      const mayHold = drainedAt === undefined || clock.now() - drainedAt < RETENTION_MS || withRows.has(arn);
      if (mayHold || isAwaited(stream, { plan, starts })) this.#open(arn, known);
    }
    if (newest === undefined) return;
    const old = known.at(-1);
    if (old !== undefined && !this.#written.has(newest)) await this.#replaced(old, newest, signal);
    this.#open(newest, known);
  }

  /** A discovery pass over each; `closing`: it is to be seen soon by all workers that a stream has no more to come. A stream counts as known once its sinks have their starts: a crash before that decides them again. */
  async pass(closing: boolean, signal: AbortSignal): Promise<void> {
    const { control, plan, clock } = this.#parts;
    for (const { arn } of this.all) {
      await this.#streams.get(arn)?.pass(closing || this.#streams.size > 1, signal);
      if (this.#written.has(arn)) continue;
      await control.putStream({ pipeline: plan.name, table: plan.source.table, arn, firstSeenAt: clock.now() }, signal);
      this.#written.add(arn);
    }
    await this.#retire(signal);
  }

  /** What there is to say when nothing more will come. */
  drained(): string | undefined {
    const newest = this.all.at(-1);
    if (newest === undefined || !newest.graph.isClosed || !newest.isDrained) return undefined;
    return `the stream of table ${this.#parts.plan.source.table} is disabled and has been read to its end; enable it again`;
  }

  async #known(signal: AbortSignal): Promise<readonly StreamRow[]> {
    const { control, plan } = this.#parts;
    return (await control.streams(plan.name, signal)).filter(({ table }) => table === plan.source.table);
  }

  /** Older streams in which some sink has begun, though a crash came before they were written down as known. */
  #begun(newest: string | undefined, starts: readonly SinkStart[]): readonly StreamRow[] {
    const { plan } = this.#parts;
    const { table } = plan.source;
    const begun = new Map<string, StreamRow>();
    for (const { streamArn: arn, takenAt } of starts.filter(start => isOfTable(start, plan))) {
      if (arn === newest || this.#written.has(arn) || begun.has(arn)) continue;
      begun.set(arn, { pipeline: plan.name, table, arn, firstSeenAt: takenAt });
    }
    return [...begun.values()];
  }

  #open(arn: string, known: readonly StreamRow[]): void {
    if (this.#streams.has(arn)) return;
    const { plan } = this.#parts;
    const older = this.all;
    const stream = new StreamRunner({
      ...this.#parts,
      ...this.#host,
      arn,
      pipeline: plan.name,
      table: plan.source.table,
      sinks: this.#host.sinks(),
      firstStart: known.length === 0,
      isReplaced: () => this.all.at(-1)?.arn !== arn,
      mayBegin: sink => older.every(one => one.hasEnded(sink)),
    });
    this.#streams.set(arn, stream);
    stream.survey(this.#host.rows());
  }

  #replaced(old: StreamRow, newest: string, signal: AbortSignal): Promise<void> {
    const { table } = this.#parts.plan.source;
    const note = `the stream of table ${table} was replaced: ${old.arn} ends, ${newest} begins; what was written between them is in neither`;
    return this.#lost(old, { reason: 'stream-replaced', note }, signal);
  }

  /** To every sink that had begun in the stream or an older one, disabled ones too. */
  async #lost(stream: Pick<StreamRow, 'arn' | 'firstSeenAt'>, gap: Pick<Gap, 'reason' | 'note'>, signal: AbortSignal): Promise<void> {
    const { plan, clock, control } = this.#parts;
    const names = await begunBy({ control, plan, stream }, signal);
    const loss = { streamArn: stream.arn, sinks: names, gap: { ...gap, at: clock.now() } };
    await this.#host.gaps.lose(loss, { plan, sinks: this.#host.sinks() });
  }

  /** A stream that was replaced and read to its end is not looked at any more. */
  async #retire(signal: AbortSignal): Promise<void> {
    const { control, clock, log, plan } = this.#parts;
    for (const stream of this.all.slice(0, -1)) {
      if (!stream.isDrained) continue;
      const row = (await control.streams(plan.name, signal)).find(({ arn }) => arn === stream.arn);
      // Every shard that was ever listed has a row, which outlives the shard and goes only after it has ended.
      if (stream.positions.rows.size === 0 && row?.drainedAt === undefined) {
        const note = `stream ${stream.arn} had no shard any more when it was first read: whatever was written to it is lost`;
        await this.#lost(row ?? { arn: stream.arn, firstSeenAt: clock.now() }, { reason: 'shard-gone', note }, signal);
      }
      if (row !== undefined && row.drainedAt === undefined) await control.putStream({ ...row, drainedAt: clock.now() }, signal);
      this.#streams.delete(stream.arn);
      log.info({ streamArn: stream.arn }, 'the old stream has been read to its end');
    }
  }
}
