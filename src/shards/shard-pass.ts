/**
 * One pass over a shard: read, hand over, wait, read again. Only what was handed over moves the cursor, and every iterator is found from there: an
 * expired one is asked for anew after the last delivered record, a trimmed one at the oldest record held, with a gap. Throttles and faults that pass
 * are waited out; what does not pass is thrown. No next iterator is the end only when the listing says so, for local servers give none on open shards.
 */
import type { Page } from '../model/page.ts';
import type { Position } from '../model/position.ts';
import type { Ms } from '../model/units.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { ReadAnswer } from '../ports/stream-api.ts';
import type { Absence } from './absence.ts';
import { RETENTION_MS } from './gap-scope.ts';
import type { ShardStanding } from './lineage.ts';
import { isFull, ReadPace, type ThrottleNotice } from './read-pace.ts';
import { ShardCursor } from './shard-cursor.ts';
import { shardBeganAt } from './shard-id.ts';
import type { ShardReaderParts } from './shard-reader-parts.ts';
import { type Retry, ShardTrouble } from './shard-trouble.ts';

/** What the passes over one shard have in common. */
export interface SharedByPasses {
  readonly throttles: ThrottleNotice;
  readonly absence: Absence;
  /** The shard was open and had no next iterator. */
  hadNoNext: boolean;
}

export interface PassAsked {
  readonly from: Position;
  readonly signal: AbortSignal;
  readonly permit: () => Promise<boolean>;
}

/** A number that the server fails on so often in a row is taken for one that it does not know. */
const FAILED_NUMBER = 8;
/** A server that was started again does not know its old iterators. */
const INVALID_ITERATORS = 3;

export class ShardPass {
  readonly #parts: ShardReaderParts;
  readonly #shared: SharedByPasses;
  readonly #asked: PassAsked;
  readonly #cursor: ShardCursor;
  readonly #pace: ReadPace;
  readonly #trouble: ShardTrouble;
  #iterator: string | undefined;
  #dueAt: Ms = 0;
  #mayHaveEnded = false;
  /** By a listing before the last read. */
  #seenClosed = false;
  #failedNumbers = 0;
  #request: AbortController | undefined;

  constructor(parts: ShardReaderParts, shared: SharedByPasses, asked: PassAsked) {
    this.#parts = parts;
    this.#shared = shared;
    this.#asked = asked;
    this.#cursor = new ShardCursor(asked.from, {
      startingToken: parts.startingToken,
      beganAt: shardBeganAt(parts.source.partition),
    });
    this.#pace = new ReadPace(parts);
    this.#trouble = new ShardTrouble(parts, shared.throttles);
  }

  async *pages(): AsyncGenerator<Page> {
    const { from, signal } = this.#asked;
    if (from.at === 'end') {
      yield { records: [], end: true };
      return;
    }
    // One listener for the life of the pass; each request has a signal of its own, so that nothing piles up on the caller's.
    const abort = () => this.#request?.abort();
    signal.addEventListener('abort', abort);
    try {
      for (;;) {
        const page = await this.#next();
        if (page === undefined) return;
        yield page;
        if (page.end) return;
        this.#cursor.delivered(page.records);
      }
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Undefined: nothing more is wanted. */
  async #next(): Promise<Page | undefined> {
    const { signal, permit } = this.#asked;
    const { clock } = this.#parts;
    const end = this.#mayHaveEnded ? await this.#confirmedEnd() : undefined;
    if (end !== undefined && !signal.aborted) return end;
    await clock.sleep(Math.max(0, this.#dueAt - clock.elapsed()), signal);
    if (signal.aborted || !(await permit())) return undefined;
    const step = await this.#attempt();
    if (!('waitMs' in step)) return step;
    if (signal.aborted) return undefined;
    this.#dueAt = clock.elapsed() + step.waitMs;
    return { records: [], unanswered: true, ...(step.throttled && { throttled: true }) };
  }

  async #attempt(): Promise<Page | Retry> {
    const { api, source, clock } = this.#parts;
    try {
      const iterator = this.#iterator ?? (await this.#open());
      if (typeof iterator !== 'string') return iterator;
      this.#iterator = iterator;
      const askedAt = clock.elapsed();
      const answer = await this.#call(signal => api.read(iterator, source, signal));
      return answer.is === 'page' ? this.#page(answer, clock.elapsed() - askedAt) : await this.#refused(answer.is);
    } catch (error) {
      if (this.#isOldIterator(error)) return this.#refused('expired');
      return this.#trouble.fault(error);
    }
  }

  /** An iterator for the cursor's place. */
  async #open(): Promise<string | Page | Retry> {
    const { api, source } = this.#parts;
    const { from } = this.#asked;
    const atTip = from.at === 'tip' && this.#cursor.isAtTip ? this.#parts.tipIterator(from.takenAt) : undefined;
    if (atTip !== undefined) return atTip;
    const place = this.#cursor.iteratorPlace();
    const answer = await this.#call(signal => api.iterator(source, place, signal).catch(error => this.#failedToOpen(error)));
    if (answer.is !== 'iterator') return this.#refused(answer.is);
    this.#failedNumbers = 0;
    this.#cursor.opened(place, answer.servedAt);
    return answer.iterator;
  }

  /** DynamoDB Local fails for ever on a number that it does not know. */
  #failedToOpen(error: unknown): never {
    if (error instanceof ServiceFault && error.class === 'server') this.#failedNumbers += 1;
    if (this.#failedNumbers === FAILED_NUMBER) this.#cursor.loseNumber('the server does not know the number of the last record read');
    throw error;
  }

  #isOldIterator(error: unknown): boolean {
    return (
      error instanceof ServiceFault &&
      error.class === 'invalid' &&
      this.#iterator !== undefined &&
      this.#trouble.failures < INVALID_ITERATORS
    );
  }

  #page(answer: ReadAnswer & { is: 'page' }, durationMs: Ms): Page {
    const { clock, observer, labels, isClosed } = this.#parts;
    const read = { records: answer.records.length, bytes: answer.bytes };
    observer.pageRead?.(labels, { ...read, durationMs, first: answer.records[0]?.token, last: answer.records.at(-1)?.token });
    this.#trouble.over();
    this.#shared.absence.over();
    this.#iterator = answer.next || undefined;
    this.#mayHaveEnded = this.#iterator === undefined;
    const closed = isClosed();
    this.#dueAt = clock.elapsed() + this.#pace.after(read, closed);
    // A closed shard that goes on has more, however little came.
    const atTip = !isFull(read) && (this.#mayHaveEnded || !closed);
    return { ...this.#cursor.take(answer.records, answer.servedAt), ...(atTip && { atTip: true as const }) };
  }

  async #refused(is: 'expired' | 'trimmed' | 'gone' | 'throttled'): Promise<Page | Retry> {
    if (is === 'throttled') return this.#trouble.throttled();
    this.#iterator = undefined;
    if (is === 'gone') return this.#gone();
    if (is === 'trimmed') this.#cursor.loseNumber('records had been trimmed before they were read');
    return this.#trouble.heal();
  }

  /** Unknown to the server: for a moment, or for good. */
  async #gone(): Promise<Page | Retry> {
    const { clock, source } = this.#parts;
    if (!this.#shared.absence.hasLasted(clock.elapsed())) return this.#trouble.again();
    const { is, servedAt } = await this.#standing();
    if (is === 'stream-gone') throw streamGone(source.streamArn, source.partition);
    const since = this.#cursor.wantedSince;
    const isLost = is !== 'open' || (since !== undefined && servedAt - since > RETENTION_MS);
    if (isLost) return { records: [], gap: this.#cursor.restLost(servedAt), end: true };
    this.#trouble.sayUnknown();
    this.#shared.absence.over();
    return this.#trouble.again();
  }

  /** No next iterator was the end; if not, the next read is due after a while, by a new iterator. Without a permit, for nothing is read. */
  async #confirmedEnd(): Promise<Page | undefined> {
    const { clock } = this.#parts;
    const { signal } = this.#asked;
    while (!signal.aborted) {
      try {
        const { is, servedAt } = await this.#standing();
        this.#trouble.over();
        if (is !== 'open' && !(is === 'closed' && this.#mayHaveMore()))
          return { records: [], ...this.#cursor.holeAtEnd(servedAt), end: true };
        this.#mayHaveEnded = false;
        this.#shared.hadNoNext ||= is === 'open';
        this.#seenClosed = is === 'closed';
        this.#dueAt = clock.elapsed() + (is === 'closed' ? 0 : this.#pace.afterUnconfirmedEnd());
        return undefined;
      } catch (error) {
        await clock.sleep(this.#trouble.fault(error).waitMs, signal);
      }
    }
    return undefined;
  }

  /**
   * Of a closed shard: where an open one has no next iterator either, this one may have been written to and closed since the read; so it is read once
   * more, now that it is closed. A tip could only be read again with older records, so it takes proof that the server is such a one.
   */
  #mayHaveMore(): boolean {
    return !this.#seenClosed && (this.#shared.hadNoNext || !this.#cursor.isAtTip);
  }

  /** A listing is shared by many, so it may go on when this pass is over. */
  #standing(): Promise<ShardStanding> {
    return this.#call(signal => Promise.race([this.#parts.standing(signal), whenAborted(signal)]));
  }

  async #call<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const request = new AbortController();
    this.#request = request;
    if (this.#asked.signal.aborted) request.abort();
    try {
      return await ask(request.signal);
    } finally {
      this.#request = undefined;
    }
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(new ServiceFault('AbortError', 'aborted', { class: 'aborted' }));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
}

function streamGone(streamArn: string, shardId: string): ServiceFault {
  const message = `stream ${streamArn} is gone, and its shard ${shardId} had not been read to its end; nothing of it can be read any more`;
  return new ServiceFault('ResourceNotFoundException', message, { class: 'missing' });
}
