/**
 * A call that does not wait longer than it says. It counts as one without an answer then: what became of it is not known. Its connection is broken, so
 * one that a middlebox has forgotten is not used a second time.
 */

import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import { onAbort } from '../ports/on-abort.ts';
import { ServiceFault } from '../ports/service-fault.ts';

export interface Patience {
  readonly clock: Clock;
  readonly timeoutMs: Ms;
}

export async function inTime<T>(
  name: string,
  { clock, timeoutMs }: Patience,
  ...[ask, signal]: [ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal]
): Promise<T> {
  const child = new AbortController();
  const deafen = onAbort(signal, () => child.abort(signal.reason));
  let late = false;
  const cancel = clock.after(timeoutMs, () => {
    late = true;
    child.abort();
  });
  try {
    return await ask(child.signal);
  } catch (error) {
    if (!late || signal.aborted) throw error;
    throw new ServiceFault('TimeoutError', `${name} had no answer within ${timeoutMs} ms`, { class: 'network', cause: error });
  } finally {
    cancel();
    deafen();
  }
}
