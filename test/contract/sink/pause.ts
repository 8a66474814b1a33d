/** Waits of the suite: real time for real targets, a few turns of the event loop for fakes. */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';

export async function pause(ms: number): Promise<void> {
  if (ms > 0) return sleep(ms);
  for (let i = 0; i < 10; i += 1) await turn();
}

/** How a promise ended, or `'pending'` when it has not after so long. */
export async function outcomeWithin<T>(promise: Promise<T>, ms: number): Promise<{ value: T } | { error: unknown } | 'pending'> {
  const ended = promise.then(
    value => ({ value }),
    (error: unknown) => ({ error }),
  );
  const stop = new AbortController();
  const late = sleep(ms, 'pending' as const, { signal: stop.signal }).catch(() => 'pending' as const);
  const first = await Promise.race([ended, late]);
  stop.abort();
  return first;
}
