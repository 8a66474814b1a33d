/**
 * One process that replicates: what the pipeline would do with the sink, in short. It cuts batches from keys that are free, at most two at a time, gives
 * failed records again in the order of their key, and remembers how far everything is done. Beside the stream it may be given scanned and redriven rows.
 */
import { type Sink, SinkFault } from '../../../src/connector.ts';
import type { ChangeRecord } from '../../../src/model/change-record.ts';
import { batchOf } from '../../fakes/records.ts';
import type { Dice } from './wire.ts';

const WINDOW = 12;
const LARGEST_BATCH = 5;
const IN_FLIGHT = 2;

export interface ProcessParts {
  readonly sink: Sink;
  readonly log: readonly ChangeRecord[];
  /** Where it begins. */
  readonly from: number;
  readonly replayedBefore: number;
  readonly coalesces: boolean;
  /** Rows beside the stream that are still to be written; shared by all processes. */
  readonly beside: Set<ChangeRecord>;
  readonly random: Dice;
  /** Records of a batch, at most. */
  readonly largest?: number;
  /** The sink said that it cannot go on, or refused a record. */
  readonly complain: (what: unknown) => void;
}

export class ProcessWorld {
  readonly #parts: ProcessParts;
  /** Everything below is done. */
  head: number;
  readonly #done = new Set<number>();
  readonly #busy = new Set<string>();
  /** Key -> the last index that was in a batch: what was coalesced into it is not given again without it, as the pipeline's dispatch has it. */
  readonly #given = new Map<string, number>();
  readonly #writing = new Set<ChangeRecord>();
  readonly #batches = new Set<AbortController>();

  constructor(parts: ProcessParts) {
    this.#parts = parts;
    this.head = parts.from;
  }

  get idle(): boolean {
    return this.#batches.size === 0 && this.head === this.#parts.log.length && this.#parts.beside.size === 0;
  }

  /** Whether `begin` would begin something. */
  get canBegin(): boolean {
    const { log, beside } = this.#parts;
    if (this.#batches.size >= IN_FLIGHT) return false;
    if ([...beside].some(record => !this.#writing.has(record))) return true;
    return log.some((record, index) => index >= this.head && !this.#done.has(index) && !this.#busy.has(record.key));
  }

  begin(): void {
    const { random, beside } = this.#parts;
    if (this.#batches.size >= IN_FLIGHT) return;
    const aside = [...beside].find(record => !this.#writing.has(record));
    if (aside && random.chance(0.5)) {
      this.#writing.add(aside);
      void this.#write([aside], failed => {
        this.#writing.delete(aside);
        if (!failed.has(0)) beside.delete(aside);
      });
      return;
    }
    const picked = this.#pick();
    if (picked.length === 0) return;
    const cut = this.#parts.coalesces && random.chance(0.7) ? lastOfEach(picked, this.#parts.log) : picked;
    const keys = picked.map(index => this.#keyAt(index));
    for (const key of keys) this.#busy.add(key);
    void this.#write(
      cut.map(index => this.#parts.log[index] as ChangeRecord),
      failed => {
        for (const key of keys) this.#busy.delete(key);
        this.#finish(picked, new Set(cut.filter((_, i) => failed.has(i)).map(index => this.#keyAt(index))));
      },
    );
  }

  /** A batch runs out of time. */
  giveUp(): void {
    const [batch] = this.#batches;
    batch?.abort();
  }

  /** The process is gone: whatever it still hears means nothing. */
  kill(): void {
    this.#batches.clear();
    void this.#parts.sink.close();
  }

  #pick(): number[] {
    const { log, random, largest = LARGEST_BATCH } = this.#parts;
    const held = new Set(this.#busy);
    const picked: number[] = [];
    for (let index = this.head; index < Math.min(log.length, this.head + WINDOW); index++) {
      const key = this.#keyAt(index);
      if (this.#done.has(index) || held.has(key)) continue;
      const free = picked.length < largest && random.chance(0.75);
      const bound = picked.some(each => this.#keyAt(each) === key) && index <= (this.#given.get(key) ?? -1);
      if (free || bound) picked.push(index);
      else held.add(key);
    }
    for (const index of picked) this.#given.set(this.#keyAt(index), index);
    return picked;
  }

  async #write(records: readonly ChangeRecord[], settle: (failed: ReadonlySet<number>) => void): Promise<void> {
    const batch = new AbortController();
    this.#batches.add(batch);
    const all = new Set(records.keys());
    const failed = await this.#parts.sink.write(batchOf(records, this.#parts.replayedBefore), batch.signal).then(
      written => {
        const rejected = written.failed.filter(each => each.disposition !== 'retry');
        if (rejected.length > 0) this.#parts.complain(rejected);
        return new Set(written.failed.map(each => each.index));
      },
      (error: unknown) => {
        if (!(error instanceof SinkFault && error.disposition === 'retry')) this.#parts.complain(error);
        return all;
      },
    );
    if (this.#batches.delete(batch)) settle(failed);
  }

  /** Of a key with a failed record, all of the batch is given again. */
  #finish(picked: readonly number[], failedKeys: ReadonlySet<string>): void {
    for (const index of picked) if (!failedKeys.has(this.#keyAt(index))) this.#done.add(index);
    while (this.#done.delete(this.head)) this.head += 1;
  }

  #keyAt(index: number): string {
    return this.#parts.log[index]?.key ?? '';
  }
}

function lastOfEach(picked: readonly number[], log: readonly ChangeRecord[]): number[] {
  return picked.filter((index, i) => !picked.slice(i + 1).some(later => log[later]?.key === log[index]?.key));
}
