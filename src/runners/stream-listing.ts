/**
 * Full listings of one stream: one at a time, shared by all who wait for one that begins after they asked. DescribeStream allows ten calls a second for
 * a whole account, a hundred shards each, so listings are spaced to use half of that at most, and wider while they fail.
 */
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { StreamApi, StreamDescription } from '../ports/stream-api.ts';
import { ShardGraph } from './shard-graph.ts';

export interface StreamListingParts {
  readonly arn: string;
  readonly streams: StreamApi;
  /** The table has a newer stream. */
  readonly isReplaced: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the process: a listing serves many, so nobody's own signal ends it. */
  readonly ending: AbortSignal;
}

const PAGE_SHARDS = 100;
const PAGE_MS: Ms = 200;
const FAILED_MS: Ms = 500;
const FAILED_CAP_MS: Ms = 10_000;
/** A stream that was just made may be unknown for a moment, and a gone one is gone for good: only one that stays unknown for so long is. */
const UNKNOWN_MS: Ms = 60_000;
/** Of one that has a successor: it goes a day after it was replaced, or at once with its table at a local server. */
const REPLACED_UNKNOWN_MS: Ms = 1_500;

export class StreamListing {
  readonly graph = new ShardGraph();
  readonly #parts: StreamListingParts;
  #current: Promise<unknown> | undefined;
  #next: Promise<StreamDescription | undefined> | undefined;
  #notBefore: Ms = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #unknownSince: Ms | undefined;

  constructor(parts: StreamListingParts) {
    this.#parts = parts;
  }

  /** Undefined when the stream is gone. */
  list(): Promise<StreamDescription | undefined> {
    this.#next ??= this.#after(this.#current);
    return this.#next;
  }

  async #after(current: Promise<unknown> | undefined): Promise<StreamDescription | undefined> {
    const { clock, ending } = this.#parts;
    await current?.catch(() => {});
    const waitMs = this.#notBefore - clock.elapsed();
    if (waitMs > 0) await clock.sleep(waitMs, ending);
    this.#next = undefined;
    const listing = this.#describe();
    this.#current = listing;
    return listing;
  }

  async #describe(): Promise<StreamDescription | undefined> {
    const { arn, streams, clock, log, ending, isReplaced } = this.#parts;
    const failed = Math.min(FAILED_CAP_MS, FAILED_MS * 2 ** this.#failures++);
    this.#notBefore = clock.elapsed() + failed;
    let description: StreamDescription | undefined;
    try {
      description = await streams.describe(arn, ending);
      this.#unknownSince = undefined;
    } catch (error) {
      if (!(error instanceof ServiceFault) || error.class !== 'missing') throw error;
      this.#unknownSince ??= clock.elapsed();
      const sureAfterMs = isReplaced() ? REPLACED_UNKNOWN_MS : UNKNOWN_MS;
      if (clock.elapsed() - this.#unknownSince < sureAfterMs) throw new ServiceFault(error.name, error.message, { class: 'server' });
      if (!this.graph.streamGone) log.warn({ streamArn: arn }, 'the stream is gone');
    }
    this.#failures = 0;
    this.#notBefore = clock.elapsed() + PAGE_MS * Math.ceil(Math.max(1, description?.shards.length ?? 0) / PAGE_SHARDS);
    this.graph.look(description);
    return description;
  }
}
