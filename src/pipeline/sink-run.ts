/**
 * One sink at one partition: takes records from its feed (the same objects, not copies) while it has room, enters them in the watermark, writes
 * them by batches, and says how far it is. It never looks at the other sinks: law 4.
 */
import type { Gap } from '../model/page.ts';
import { compareTokens, type Position, type Token } from '../model/position.ts';
import type { EpochMs, Ms } from '../model/units.ts';
import { onAbort } from '../ports/on-abort.ts';
import { type Attempted, announcement, attempt } from './attempt.ts';
import type { Cut } from './cut.ts';
import { type DeliveryPlan, deliveryPlan } from './delivery-plan.ts';
import { Dispatch } from './dispatch.ts';
import type { Entry } from './entry.ts';
import type { KeyQueue } from './key-queue.ts';
import type { OpenSink } from './open-sink.ts';
import { OpenWork } from './open-work.ts';
import { answered, backoffMs, failedInRow, failedWhole, type Verdict } from './retry.ts';
import type { SinkRunParts } from './sink-run-parts.ts';
import type { Slot } from './slot.ts';
import { stallReason } from './stall.ts';
import { tracedBatch } from './traced-batch.ts';
import { Wake } from './wake.ts';

type Phase = 'running' | 'draining' | 'over';

export class SinkRun {
  readonly sink: OpenSink;
  readonly plan: DeliveryPlan;
  readonly #parts: SinkRunParts;
  readonly #work: OpenWork;
  readonly #dispatch: Dispatch;
  readonly #abort = new AbortController();
  readonly #wake: Wake;
  #phase: Phase = 'running';
  /** Where its feed goes on: after the last record taken. */
  #place: Position;
  #highestBegun = -1;
  #scale = 1;
  #through: Token | undefined;
  #ending = false;
  #settling = new Set<Promise<void>>();
  #whenQuiet: (() => void) | undefined;

  constructor(parts: SinkRunParts) {
    this.#parts = parts;
    this.sink = parts.sink;
    this.plan = deliveryPlan(parts.sink.traits, parts.sink.delivery, parts.budget.shareBytes);
    this.#work = new OpenWork(parts, parts.position);
    this.#dispatch = new Dispatch(this.plan);
    this.#wake = new Wake(parts.clock, () => this.go());
    this.#place = parts.position;
    this.#ending = parts.position.at === 'end';
  }

  /** What may be saved. */
  get head(): Position {
    return this.#ending && this.#work.isEmpty ? { at: 'end' } : this.#work.head;
  }

  get place(): Position {
    return this.#place;
  }

  get openBytes(): number {
    return this.#work.bytes;
  }

  get openRecords(): number {
    return this.#work.records;
  }

  get oldestChangedAt(): EpochMs | undefined {
    return this.#work.oldestChangedAt;
  }

  /** The end of the partition has been reached; what was taken is still being finished. */
  get isEnding(): boolean {
    return this.#ending;
  }

  get mayTake(): boolean {
    return this.#phase === 'running' && this.sink.state === 'open' && !this.#windowFull;
  }

  /** Room for records out of a reading: from its own rest a sink still takes above its share, for that changes nothing in it. */
  get hasRoom(): boolean {
    return this.mayTake && !this.#overShare;
  }

  get #windowFull(): boolean {
    return this.#work.windowBytes >= this.plan.windowBytes;
  }

  get #overShare(): boolean {
    return this.sink.heldBytes >= this.#parts.budget.shareBytes;
  }

  /** Why nothing goes on, when nothing does. */
  get stalled(): string | null {
    if (this.sink.state !== 'open' || this.#work.records === 0) return null;
    return stallReason({
      head: this.#work.head,
      windowFull: this.#windowFull,
      shareFull: this.#overShare,
      pending: this.#highestBegun >= 0 && (this.#dispatch.inFlight > 0 || this.#dispatch.isRetrying),
      idleMs: this.#work.idleMs,
    });
  }

  /** Takes one record. `go` is called when the page is through. */
  take(slot: Slot): void {
    const { record } = slot;
    this.#place = { at: 'after', token: record.token, changedAt: record.changedAt };
    const entry = this.#work.enter(slot, this.#place);
    if (this.#through !== undefined && compareTokens(record.token, this.#through) <= 0) this.#work.finish([entry], 'superseded');
    else this.#dispatch.enqueue(entry);
  }

  /** What lies before its tip need not be read again. (Beginning anew each turn, a sink never came past more than a turn's pages.) */
  lookedTo(readTo: Token): void {
    if (this.#place.at === 'tip') this.#place = { ...this.#place, readTo };
  }

  /** Records were lost before what is taken next: nothing behind may be saved before that is written down. */
  passGap(gap: Gap): void {
    const written = this.#work.enterGap(this.#place);
    const kept = () => {
      written();
      this.#quiet();
      this.#parts.moved();
    };
    this.#parts.onGap(gap).then(kept, this.#parts.failed);
  }

  /** The partition has no more records for this sink. */
  end(): void {
    this.#ending = true;
    this.go();
    this.#parts.moved();
  }

  /** Begins every batch that is ripe. */
  go(): void {
    const elapsed = this.#parts.clock.elapsed();
    const pressed = this.#phase === 'draining' || this.#ending || this.#windowFull || this.#overShare;
    for (;;) {
      // Asked for each: encoding one batch may take so long that the right to write the next is gone.
      if (!this.#mayBegin()) return;
      const cut = this.#dispatch.cut({ elapsed, pressed, scale: this.#scale });
      if (cut === undefined) break;
      const written = this.#write(cut).catch(error => this.#parts.failed(error));
      this.#settling.add(written);
      void written.then(() => {
        this.#settling.delete(written);
        this.#quiet();
      });
    }
    if (this.#dispatch.inFlight < this.plan.inFlight) this.#wake.at(this.#dispatch.dueAt());
  }

  #mayBegin(): boolean {
    return this.#phase !== 'over' && !this.#abort.signal.aborted && this.sink.takesWrites && this.#parts.mayWrite();
  }

  /** Begins nothing above what has been begun; what lies below is still written, at once. Resolves when it is, or when `signal` aborts the writes. */
  async drain(signal: AbortSignal): Promise<void> {
    if (this.#phase !== 'running') return;
    this.#phase = 'draining';
    const left = this.#dispatch.remove(entry => entry.ordinal > this.#highestBegun);
    this.#work.release(left);
    this.#dispatch.hurry();
    const abort = () => {
      this.#abort.abort();
      this.#quiet();
    };
    const deafen = onAbort(signal, abort);
    this.go();
    await new Promise<void>(resolve => {
      this.#whenQuiet = resolve;
      this.#quiet();
    });
    deafen();
    this.close();
  }

  /** Tells a drain when there is nothing left that it could wait for. */
  #quiet(): void {
    if (this.#settling.size > 0) return;
    if ((this.#dispatch.isIdle && !this.#work.hasGaps) || this.#abort.signal.aborted || this.sink.state !== 'open') this.#whenQuiet?.();
  }

  /** No more writes: aborts what is in flight and forgets the rest. */
  close(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#wake.stop();
    this.#abort.abort();
    if (this.#settling.size > 0) this.sink.outlived(this.settled());
    this.#work.release(this.#dispatch.remove(() => true));
  }

  /** When no write is in flight any more. */
  async settled(): Promise<void> {
    while (this.#settling.size > 0) await Promise.race(this.#settling);
  }

  async #write(cut: Cut): Promise<void> {
    const entries = cut.written;
    for (const entry of entries.concat(cut.coalesced)) this.#highestBegun = Math.max(this.#highestBegun, entry.ordinal);
    const records = entries.map(entry => entry.slot.record);
    const bytes = records.reduce((sum, record) => sum + record.bytes, 0);
    const traced = tracedBatch({ records, bytes, replayedBefore: this.#parts.replayedBefore }, this.#parts);
    const { clock } = this.#parts;
    const attempted = await attempt(this.sink, traced.batch, { timeoutMs: this.plan.timeoutMs, clock }, this.#abort.signal);
    this.#parts.observer.batchWritten?.(this.#parts.labels, announcement(attempted, traced));
    if (!this.#abort.signal.aborted) this.sink.trouble.hear(attempted.is === 'failed' ? attempted.fault : attempted.answer);
    if (attempted.is === 'failed') this.#whole(cut, attempted);
    else this.#answer(cut, attempted.answer);
    this.go();
    this.#parts.moved();
  }

  #answer(cut: Cut, answer: Awaited<ReturnType<OpenSink['target']['write']>>): void {
    this.#scale = Math.min(1, this.#scale * 2);
    if (answer.through !== undefined) this.#covered(cut, answer.through);
    else this.#settle(cut, answered(cut.written, answer, this.plan, this.#parts.clock.now()), answer.superseded ?? 0);
  }

  #whole(cut: Cut, attempted: Extract<Attempted, { is: 'failed' }>): void {
    if (attempted.timedOut) this.#scale = Math.max(1 / this.plan.batchRecords, this.#scale / 2);
    const { fault } = attempted;
    if (this.#abort.signal.aborted) {
      this.#settle(cut, { durable: [], back: cut.written, leastWaitMs: 0 }, 0);
      return;
    }
    if (fault.judged && this.plan.bisect && cut.written.length > 1) {
      this.#dispatch.bisect(cut);
      return;
    }
    const at = { plan: this.plan, now: this.#parts.clock.now() };
    const disposition = fault.judged && cut.written.length === 1 ? 'reject' : fault.disposition;
    const verdict = failedWhole(cut.written, { disposition, reason: fault.message, retryAfterMs: fault.retryAfterMs }, at);
    this.#settle(cut, verdict, 0, fault.heals);
  }

  #settle(cut: Cut, verdict: Verdict, superseded: number, heals = false): void {
    const failedKeys = new Set(verdict.back.map(entry => entry.slot.record.key));
    const goBack = (entry: Entry) => failedKeys.has(entry.slot.record.key);
    const back = verdict.back.concat(cut.coalesced.filter(goBack));
    this.#work.finish(verdict.durable.slice(0, superseded), 'superseded');
    this.#work.finish(verdict.durable.slice(superseded), 'written');
    this.#work.finish(
      cut.coalesced.filter(entry => !goBack(entry)),
      'coalesced',
    );
    this.#giveBack(cut, back, verdict.leastWaitMs);
    if (verdict.halt !== undefined && !this.#abort.signal.aborted) this.#halt(verdict.halt, heals);
  }

  #halt(halt: NonNullable<Verdict['halt']>, heals: boolean): void {
    const record = halt.entry?.slot.record;
    const which = record === undefined ? '' : ` (record ${record.token} of ${record.source.partition})`;
    this.sink.halt(`${halt.reason}${which}`, heals);
  }

  /** The target holds everything up to a token, be that more or less than the batch; later records of the batch are written again, no try counted. */
  #covered(cut: Cut, through: Token): void {
    this.#through = this.#through === undefined || compareTokens(this.#through, through) < 0 ? through : this.#through;
    const isCovered = (entry: Entry) => compareTokens(entry.slot.record.token, through) <= 0;
    const all = cut.written.concat(cut.coalesced);
    if (!all.some(isCovered)) for (const entry of cut.written) entry.tries += 1;
    this.#work.finish(all.filter(isCovered), 'superseded');
    this.#giveBack(
      cut,
      all.filter(entry => !isCovered(entry)),
      0,
    );
    this.#work.finish(this.#dispatch.remove(isCovered), 'superseded');
    const last = cut.written.at(-1)?.slot.record;
    if (last !== undefined) this.#work.cover({ at: 'after', token: through, changedAt: last.changedAt });
  }

  #giveBack(cut: Cut, back: readonly Entry[], leastWaitMs: Ms): void {
    const { clock, random, observer, labels } = this.#parts;
    if (back.length > 0) observer.retried?.(labels, back.length);
    const now = clock.elapsed();
    const hurried = this.#phase === 'over';
    // One draw for the batch: keys that failed together come due together and go out together.
    const chance = random.next();
    this.#dispatch.settle(cut, back, (queue: KeyQueue) => {
      const lowest = queue.entries[0];
      if (lowest === undefined || hurried || lowest.tries === 0) return 0;
      const wait = backoffMs(failedInRow(queue, lowest.ordinal), this.plan.backoffCapMs, chance);
      return now + Math.max(leastWaitMs, wait);
    });
    if (this.#phase === 'over') this.#work.release(this.#dispatch.remove(() => true));
    if (this.#phase === 'draining') this.#work.release(this.#dispatch.remove(entry => entry.ordinal > this.#highestBegun));
  }
}
