/**
 * The tips of a stream's open shards, for sinks that begin there: an iterator of each is taken first, then the time that is written down as the tip's. So
 * whatever is made after that time lies behind these iterators, and a reading that is opened anew by the time gives it too. (Asked for after the time had
 * been written down, LATEST passed over what was made between.) A shard that gave none in time is read from its start, and older records are passed over.
 */

import type { EpochMs, Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import { onAbort } from '../ports/on-abort.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { StreamApi, StreamDescription } from '../ports/stream-api.ts';
import { sourceOf } from './shard-readers.ts';

/** So many are asked for at a time, and for so long in all: a start waits for this. */
const AT_ONCE = 16;
const PATIENCE_MS: Ms = 10_000;
/** The server's date has whole seconds. */
const CUT_MS: Ms = 1_000;

export class FirstTips {
  /** By the server's date, and after all that was asked. */
  readonly takenAt: EpochMs;
  readonly #iterators: Map<string, string>;

  constructor(takenAt: EpochMs, iterators: ReadonlyMap<string, string> = new Map()) {
    this.takenAt = takenAt;
    this.#iterators = new Map(iterators);
  }

  /** The iterator at a shard's tip of that time: once, for it does not live long. */
  take(shardId: string, takenAt: EpochMs): string | undefined {
    if (takenAt !== this.takenAt) return undefined;
    const iterator = this.#iterators.get(shardId);
    this.#iterators.delete(shardId);
    return iterator;
  }
}

export interface TipsAsked {
  readonly description: StreamDescription;
  readonly shardIds: readonly string[];
  readonly streams: StreamApi;
  readonly clock: Clock;
}

export async function firstTips({ description, shardIds, streams, clock }: TipsAsked, signal: AbortSignal): Promise<FirstTips> {
  const limit = new AbortController();
  const abort = () => limit.abort();
  const cancel = clock.after(PATIENCE_MS, abort);
  const deafen = onAbort(signal, abort);
  const iterators = new Map<string, string>();
  let lastAt = description.servedAt;
  const left = [...shardIds];
  const ask = async (): Promise<void> => {
    for (let shardId = left.shift(); shardId !== undefined && !limit.signal.aborted; shardId = left.shift()) {
      const answer = await iteratorAt(streams, sourceOf(description, shardId), limit.signal);
      if (answer?.is !== 'iterator') continue;
      iterators.set(shardId, answer.iterator);
      lastAt = Math.max(lastAt, answer.servedAt);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  cancel();
  deafen();
  signal.throwIfAborted();
  return new FirstTips(lastAt + CUT_MS, iterators);
}

async function iteratorAt(streams: StreamApi, source: ReturnType<typeof sourceOf>, signal: AbortSignal) {
  try {
    return await streams.iterator(source, { type: 'LATEST' }, signal);
  } catch (error) {
    if (error instanceof ServiceFault) return undefined;
    throw error;
  }
}
