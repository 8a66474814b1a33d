/**
 * The door through which time and chance come in: the real clock, the real dice, and the few conversions between calendar text and epoch
 * milliseconds that the wire asks for. Nothing else in the house touches `Date`, timers, `performance`, `Math.random` or `randomUUID`, so that
 * tests and the simulation can bring their own.
 */
import { randomUUID } from 'node:crypto';
import type { EpochMs, Ms } from '../model/units.ts';
import type { Cancel, Clock, Random } from '../ports/clock.ts';

/** Node fires a timer at once when it is asked for more than this. */
const LONGEST_TIMER_MS: Ms = 2 ** 31 - 1;

/** Wall time by `Date`, elapsed time by the monotonic clock. Its timers never keep the process alive by themselves. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after,
  sleep: (ms, signal) =>
    new Promise(resolve => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const wake = () => {
        cancel();
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const cancel = after(ms, wake);
      signal.addEventListener('abort', wake);
    }),
};

export const systemRandom: Random = { next: () => Math.random(), uuid: () => randomUUID() };

function after(ms: Ms, f: () => void): Cancel {
  let timer: NodeJS.Timeout;
  const wait = (left: Ms) => {
    timer = setTimeout(() => (left > LONGEST_TIMER_MS ? wait(left - LONGEST_TIMER_MS) : f()), Math.min(left, LONGEST_TIMER_MS));
    timer.unref();
  };
  wait(ms);
  return () => clearTimeout(timer);
}

/** The clock's timers do not keep the process alive; this does, until it is cancelled. */
export function stayAlive(): Cancel {
  const timer = setInterval(() => {}, LONGEST_TIMER_MS);
  return () => clearInterval(timer);
}

/** An HTTP date or an ISO text with an offset; undefined when it is neither. */
export function epochOf(text: string | undefined): EpochMs | undefined {
  if (text === undefined) return undefined;
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}

/** `2026-11-23T01:02:03.000Z`. */
export function isoText(at: EpochMs): string {
  return new Date(at).toISOString();
}

/** For libraries that insist on the object. */
export function dateOf(at: EpochMs): Date {
  return new Date(at);
}
