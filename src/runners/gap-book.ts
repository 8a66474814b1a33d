/**
 * Gaps of one pipeline: each is durable before anything behind it may be saved, counted per sink, told to the observer and logged as an error. Never
 * only logged.
 */
import type { SinkName } from '../model/units.ts';
import type { OpenSink } from '../pipeline/open-sink.ts';
import type { ControlStore, GapRow } from '../ports/control-store.ts';
import type { Observer } from '../ports/observer.ts';
import type { PipelinePlan } from './daemon-plan.ts';
import { type Persistence, persist } from './persist.ts';

export interface GapBookParts extends Omit<Persistence, 'what'> {
  readonly control: ControlStore;
  readonly observer: Observer;
  readonly pipeline: string;
  /** Ends with the process. */
  readonly signal: AbortSignal;
}

type Loss = Omit<GapRow, 'pipeline' | 'table'>;

/** A pipeline, and its sinks that are open or to be opened. */
interface Losers {
  readonly plan: PipelinePlan;
  readonly sinks: ReadonlyMap<SinkName, OpenSink>;
}

export class GapBook {
  readonly #parts: GapBookParts;
  /** By what makes a gap the same one: the sinks that have it. */
  readonly #sinks = new Map<string, Set<SinkName>>();

  constructor(parts: GapBookParts) {
    this.#parts = parts;
  }

  /** What was lost before this process began. */
  async load(signal: AbortSignal): Promise<void> {
    for (const row of await this.#parts.control.gaps(this.#parts.pipeline, signal)) this.#note(row);
  }

  count(sink: SinkName): number {
    let gaps = 0;
    for (const sinks of this.#sinks.values()) if (sinks.has(sink)) gaps += 1;
    return gaps;
  }

  /** Whether something of this partition was lost to the sink. */
  knows(streamArn: string, partition: string, sink: SinkName): boolean {
    return [...this.#sinks].some(([key, sinks]) => key.startsWith(`${streamArn}:${partition}#`) && sinks.has(sink));
  }

  /**
   * Resolves when it is durable; with `source.onGap: halt` its sinks have halted then, with the gap as the reason. Never resolves once the process ends:
   * whatever lies behind it is then not saved.
   */
  async lose({ gap, sinks: names, ...where }: Loss, { plan: { source }, sinks }: Losers): Promise<void> {
    await this.#keep({ ...where, table: source.table, sinks: names, gap });
    if (source.onGap === 'halt') for (const name of names) sinks.get(name)?.halt(`records were lost: ${gap.note}`, false);
  }

  async #keep(gap: Omit<GapRow, 'pipeline'>): Promise<void> {
    const { control, observer, log, pipeline, signal } = this.#parts;
    if (gap.sinks.length === 0) return;
    const row: GapRow = { ...gap, pipeline };
    try {
      await persist(() => control.addGap(row, signal), { ...this.#parts, what: 'the control table, to keep a gap' }, signal);
    } catch (error) {
      if (signal.aborted) return new Promise(() => {});
      throw error;
    }
    const known = this.#note(row);
    const partition = row.partition ?? row.streamArn;
    const fields = {
      table: row.table,
      shardId: row.partition,
      sinks: row.sinks,
      from: row.gap.from,
      to: row.gap.to,
      reason: row.gap.reason,
    };
    log.error(fields, `records were lost: ${row.gap.note}`);
    if (!known) observer.gapFound?.({ pipeline, table: row.table, partition }, row.sinks, row.gap);
  }

  /** Whether all of it was known. */
  #note({ streamArn, partition, gap, sinks }: GapRow): boolean {
    const key = `${streamArn}:${partition ?? ''}#${gap.reason}#${gap.from ?? ''}`;
    const standing = this.#sinks.get(key) ?? new Set();
    const known = sinks.every(sink => standing.has(sink));
    for (const sink of sinks) standing.add(sink);
    this.#sinks.set(key, standing);
    return known;
  }
}
