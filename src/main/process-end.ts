/** How the process of a `run` comes to its end: by a signal, because nobody reads stdout any more, or by a mistake of ours. */
import type { ProcessLog } from '../wiring.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { hasTerminal } from './first-signals.ts';
import { whenStdoutCloses } from './output.ts';
import { type Stop, stopOnSignals } from './signals.ts';

/** `atOnce`: what has to be done before the process leaves without waiting for anything. */
export function stopOf(log: ProcessLog, atOnce: () => void = () => {}): Stop {
  const leave = (code: ExitCode): never => {
    atOnce();
    return end(log, code);
  };
  endOnSurprise(log, leave);
  const stop = stopOnSignals(why => log.info({}, `stopping: ${why}`), leave);
  whenStdoutCloses(() => stop.request('stdout was closed'));
  obeyHangUp(log, stop);
  return stop;
}

/** A terminal that goes takes with it what was started in it; to whoever has none it is the old word for reading settings anew, which is not done. */
function obeyHangUp(log: ProcessLog, stop: Stop): void {
  process.on('SIGHUP', () => {
    if (hasTerminal) stop.request('SIGHUP, the terminal has gone');
    else log.info({}, 'SIGHUP is ignored: settings are read at the start only; start anew to change them');
  });
}

/** Leaves the process; a socket or timer that somebody forgot does not keep it. */
export function end(log: ProcessLog, code: ExitCode): never {
  log.flush();
  process.exit(code);
}

export function failed(log: ProcessLog, what: string): (error: unknown) => ExitCode {
  return error => {
    log.fatal({ error }, `${what}: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT.failed;
  };
}

/** A mistake of ours: what was not finished is read again by whoever goes on. */
function endOnSurprise(log: ProcessLog, leave: (code: ExitCode) => never): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      log.fatal({ error }, 'a surprise, the process ends');
      leave(EXIT.failed);
    });
  }
}
