/**
 * A table client with a limit of requests in flight: a batch is cut into as many requests as it has keys, and all shards of a process write through one
 * sink. Requests wait in order; one whose signal aborts while it waits is never sent, and says so at once.
 */
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { TableApi } from '../../src/ports/table-api.ts';

const NOT_SENT = 'NotSent';

interface Waiting {
  readonly signal: AbortSignal;
  readonly go: () => void;
  readonly refuse: (fault: ServiceFault) => void;
}

export function boundedTable(api: TableApi, limit: number): TableApi {
  const turns = new Turns(limit);
  return {
    call: async (name, request, signal) => {
      await turns.take(signal);
      try {
        return await api.call(name, request, signal);
      } finally {
        turns.release();
      }
    },
  };
}

/** Whether a request that failed so may still take effect, now or some minutes later. */
export function mayStillLand(error: unknown): boolean {
  if (!(error instanceof ServiceFault)) return true;
  if (error.name === NOT_SENT) return false;
  return error.class === 'aborted' || error.class === 'network' || error.class === 'server';
}

class Turns {
  #free: number;
  #queue: Waiting[] = [];
  /** One listener per signal, however many requests wait under it. */
  readonly #listening = new Map<AbortSignal, () => void>();

  constructor(limit: number) {
    this.#free = limit;
  }

  take(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(notSent());
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve();
    }
    return new Promise((go, refuse) => {
      this.#queue.push({ signal, go, refuse });
      if (this.#listening.has(signal)) return;
      const drop = () => this.#drop(signal);
      this.#listening.set(signal, drop);
      signal.addEventListener('abort', drop);
    });
  }

  release(): void {
    const next = this.#queue.shift();
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    if (!this.#queue.some(each => each.signal === next.signal)) this.#deafen(next.signal);
    next.go();
  }

  #drop(signal: AbortSignal): void {
    this.#deafen(signal);
    const dropped = this.#queue.filter(each => each.signal === signal);
    this.#queue = this.#queue.filter(each => each.signal !== signal);
    for (const each of dropped) each.refuse(notSent());
  }

  #deafen(signal: AbortSignal): void {
    const drop = this.#listening.get(signal);
    if (drop) signal.removeEventListener('abort', drop);
    this.#listening.delete(signal);
  }
}

function notSent(): ServiceFault {
  return new ServiceFault(NOT_SENT, 'aborted before it was sent', { class: 'aborted' });
}
