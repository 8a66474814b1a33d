/**
 * What keeps a shard from being read, for the time of one pass: how long to wait before the next try, when to say so, and what will not pass by itself.
 * A few lines per shard and trouble, never one per try.
 */
import type { Ms } from '../model/units.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import { type ThrottleNotice, troubleMs } from './read-pace.ts';
import type { ShardReaderParts } from './shard-reader-parts.ts';

export interface Retry {
  readonly waitMs: Ms;
  readonly throttled?: true;
}

const PASSING: ReadonlySet<string> = new Set(['throttled', 'network', 'server', 'expired', 'aborted']);
const SAY_AFTER = 5;

export class ShardTrouble {
  readonly #parts: ShardReaderParts;
  readonly #throttles: ThrottleNotice;
  /** In a row. */
  #failures = 0;
  /** The last failure was an iterator's. */
  #healing = false;

  constructor(parts: ShardReaderParts, throttles: ThrottleNotice) {
    this.#parts = parts;
    this.#throttles = throttles;
  }

  get failures(): number {
    return this.#failures;
  }

  /** It was answered. */
  over(): void {
    if (this.#failures >= SAY_AFTER) this.#parts.log.info(this.#fields(), 'the shard is read again');
    this.#failures = 0;
    this.#healing = false;
  }

  again(): Retry {
    this.#failures += 1;
    this.#healing = false;
    return { waitMs: troubleMs(this.#failures, this.#parts.random) };
  }

  /** What another iterator mends is tried at once, as one that has expired while a throttle was waited out; only what that does not mend is waited for. */
  heal(): Retry {
    const wasHealing = this.#healing;
    const { waitMs } = this.again();
    this.#healing = true;
    return { waitMs: wasHealing ? waitMs : 0 };
  }

  throttled(): Retry {
    const { observer, labels, log, clock, source } = this.#parts;
    observer.sourceThrottled?.(labels);
    if (this.#throttles.isDue(clock.elapsed())) {
      log.warn(
        { ...this.#fields(), streamArn: source.streamArn },
        'reads of this shard are throttled again and again: DynamoDB serves two readers of a shard, so a third is likely, such as a Lambda trigger or another consumer of the stream',
      );
    }
    return { ...this.again(), throttled: true };
  }

  /** Of a call that failed. Throws what does not pass by itself. */
  fault(error: unknown): Retry {
    if (!(error instanceof ServiceFault) || !PASSING.has(error.class)) throw error;
    const retry = this.again();
    if (this.#failures === SAY_AFTER) {
      this.#parts.log.warn({ ...this.#fields(), error: error.name }, 'the shard cannot be read; trying again');
    }
    return retry;
  }

  /** Listed and open, but refused as unknown for so long. */
  sayUnknown(): void {
    this.#parts.log.warn(this.#fields(), 'the shard is listed and open, but unknown when it is read; trying again');
  }

  #fields(): { readonly table: string; readonly shardId: string } {
    const { labels, source } = this.#parts;
    return { table: labels.table, shardId: source.partition };
  }
}
