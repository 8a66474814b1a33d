/** Asks a store again and again until it answers, with a growing, jittered delay; says once per call that it has to. For what must not be given up. */
import type { Ms } from '../model/units.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { ServiceFault } from '../ports/service-fault.ts';

export interface Persistence {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What is asked for, as in "the control table: a gap". */
  readonly what: string;
}

const FIRST_MS: Ms = 100;
const CAP_MS: Ms = 5_000;

/** Throws what is no fault of a service, and the signal's reason once it aborts. */
export async function persist<T>(ask: () => Promise<T>, { clock, random, log, what }: Persistence, signal: AbortSignal): Promise<T> {
  for (let tries = 0; ; tries++) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ServiceFault)) throw error;
      signal.throwIfAborted();
      if (tries === 2) log.warn({ error: error.message }, `${what}: no success yet; trying again`);
      await clock.sleep(Math.min(CAP_MS, FIRST_MS * 2 ** tries) * (0.5 + random.next() / 2), signal);
    }
  }
}
