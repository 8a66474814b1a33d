/**
 * How a fake store fails, one call after another: throttled, no answer though the write was applied, no answer and not applied, late. A script is
 * asked before each call; without one everything passes at once.
 */
import type { Ms } from '../../src/model/units.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';

export type Fate = 'pass' | 'throttle' | 'lost' | 'applied-but-lost' | 'denied' | { readonly delayMs: Ms };

export interface FakeFaults {
  /** `operation` is the port's method, `key` the row's where there is one. */
  fate: (operation: string, key: string) => Fate;
  readonly clock?: Clock;
}

/** Runs `apply` at one instant, as a server does, and fails as the script says. */
export async function underFate<T>(
  faults: FakeFaults,
  { operation, key, signal }: { operation: string; key: string; signal: AbortSignal },
  apply: () => T,
): Promise<T> {
  const fate = faults.fate(operation, key);
  // A call always takes a turn: nobody may rely on an answer in the same one.
  await undefined;
  if (typeof fate === 'object' && faults.clock) await faults.clock.sleep(fate.delayMs, signal);
  if (signal.aborted) throw new ServiceFault('AbortError', 'aborted', { class: 'aborted' });
  if (fate === 'throttle')
    throw new ServiceFault('ProvisionedThroughputExceededException', 'slow down', { class: 'throttled', status: 400 });
  if (fate === 'denied')
    throw new ServiceFault('AccessDeniedException', `no permission for ${operation}`, { class: 'denied', status: 400 });
  if (fate === 'lost') throw new ServiceFault('ECONNRESET', 'no answer', { class: 'network' });
  const answer = apply();
  if (fate === 'applied-but-lost') throw new ServiceFault('ECONNRESET', 'no answer', { class: 'network' });
  return answer;
}
