/** Signals of the system as one AbortSignal: the first SIGTERM or SIGINT asks for an end in order, a second one ends at once. */
import { EXIT, type ExitCode } from './exit.ts';
import { handSignalsOver } from './first-signals.ts';

const CODES = { SIGTERM: EXIT.terminated, SIGINT: EXIT.interrupted } as const;

export interface Stop {
  readonly signal: AbortSignal;
  /** As a first signal does. */
  request(why: string): void;
}

export function stopOnSignals(told: (why: string) => void, endAtOnce: (code: ExitCode) => void): Stop {
  const stop = new AbortController();
  const request = (why: string): void => {
    if (stop.signal.aborted) return;
    told(why);
    stop.abort(new Error(why));
  };
  // Signals are counted by themselves: where a whole group is told, one process of several may have heard of it from another before.
  let signalled = false;
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (signalled) endAtOnce(CODES[name]);
      signalled = true;
      request(name);
    });
  }
  // Only now: a signal that waits to be heard is lost when nobody listens for a moment.
  handSignalsOver();
  return { signal: stop.signal, request };
}
