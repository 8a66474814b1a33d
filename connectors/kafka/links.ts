/**
 * The clients that write, each used by one write at a time, so that ending an aborted write ends nothing else. A partition's leader is written to by at
 * most four of them, for a broker serves the requests of one connection in turn and one that hangs must not hold the writes to the others. A client
 * that failed, idled or grew old is thrown away: a connection that a broker or a middlebox may have forgotten is never written to (K6, K12).
 */
import type { Ms } from '../../src/model/units.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { abortable } from './abortable.ts';
import type { KafkaClient } from './client.ts';

const PER_LEADER = 4;
/** Below the shortest time after which middleboxes are known to forget. */
const IDLE_MS: Ms = 50_000;
/** Below the life of an MSK token, so that the client's own renewal of logins is never put to the test. */
const AGE_MS: Ms = 600_000;

interface Link {
  readonly client: KafkaClient;
  readonly madeAt: Ms;
  usedAt: Ms;
}

/** What one leader's writes share. */
interface Lane {
  readonly idle: Link[];
  busy: number;
  readonly waiting: (() => void)[];
}

export interface LinksParts {
  readonly clock: Clock;
  readonly make: () => KafkaClient;
  /** Whether a client may be used again after this error. */
  readonly isSound: (error: unknown) => boolean;
}

export class Links {
  readonly #parts: LinksParts;
  readonly #lanes = new Map<number, Lane>();
  readonly #closing = new AbortController();

  constructor(parts: LinksParts) {
    this.#parts = parts;
  }

  /** Runs one write with a client that nobody else uses. After an abort nothing more of it can be sent. */
  async use<T>(leader: number, work: (client: KafkaClient) => Promise<T>, signal: AbortSignal): Promise<T> {
    const lane = this.#lane(leader);
    await enter(lane, signal);
    try {
      return await this.#run(lane, work, signal);
    } finally {
      lane.busy -= 1;
      lane.waiting.shift()?.();
    }
  }

  /** Somebody else leads now: the clients that idle with that belief are thrown away. Those of other leaders may be right, and stay. */
  forget(leader: number): void {
    for (const link of this.#lanes.get(leader)?.idle.splice(0) ?? []) link.client.destroy({ reset: false });
  }

  close(): void {
    this.#closing.abort();
    for (const leader of this.#lanes.keys()) this.forget(leader);
  }

  async #run<T>(lane: Lane, work: (client: KafkaClient) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { clock, make, isSound } = this.#parts;
    const idle = this.#idleLink(lane);
    const link = idle ?? { client: make(), madeAt: clock.elapsed(), usedAt: 0 };
    let isKept = false;
    try {
      const write = async () => {
        if (idle === undefined) await link.client.producer.connect();
        return work(link.client);
      };
      const result = await abortable(write, () => link.client.destroy({ reset: true }), [signal, this.#closing.signal]);
      isKept = true;
      return result;
    } catch (error) {
      isKept = isSound(error);
      throw error;
    } finally {
      link.usedAt = clock.elapsed();
      if (isKept && !signal.aborted && !this.#closing.signal.aborted && !link.client.broken) lane.idle.push(link);
      else link.client.destroy({ reset: true });
    }
  }

  /** The one used last, so that those that are not needed grow idle. */
  #idleLink(lane: Lane): Link | undefined {
    const now = this.#parts.clock.elapsed();
    for (let link = lane.idle.pop(); link !== undefined; link = lane.idle.pop()) {
      if (!link.client.broken && now - link.usedAt < IDLE_MS && now - link.madeAt < AGE_MS) return link;
      link.client.destroy({ reset: false });
    }
    return undefined;
  }

  #lane(leader: number): Lane {
    const lane = this.#lanes.get(leader) ?? { idle: [], busy: 0, waiting: [] };
    this.#lanes.set(leader, lane);
    return lane;
  }
}

/** Waits for a place, first come first served. */
function enter(lane: Lane, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Error('aborted before a connection was free'));
    if (lane.busy < PER_LEADER) {
      lane.busy += 1;
      return resolve();
    }
    const take = () => {
      signal.removeEventListener('abort', leave);
      lane.busy += 1;
      resolve();
    };
    const leave = () => {
      lane.waiting.splice(lane.waiting.indexOf(take), 1);
      reject(new Error('aborted before a connection was free'));
    };
    signal.addEventListener('abort', leave, { once: true });
    lane.waiting.push(take);
  });
}
