/**
 * kafkajs' log in ours. It writes a line for every failed request; what matters of a failure is told by the fault that the sink throws, so these lines
 * are warnings, at most one each ten seconds, with how many were left out.
 */
import type { LogEntry, logCreator } from 'kafkajs';
import type { Ms } from '../../src/model/units.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Log } from '../../src/ports/log.ts';
import { DESTROYED } from './sockets.ts';

const EVERY_MS: Ms = 10_000;

export function quietLog(log: Log, clock: Clock): logCreator {
  let nextAt: Ms = Number.NEGATIVE_INFINITY;
  let leftOut = 0;
  return () => (entry: LogEntry) => {
    if (entry.log.message.includes(DESTROYED)) return;
    if (clock.elapsed() < nextAt) {
      leftOut += 1;
      return;
    }
    nextAt = clock.elapsed() + EVERY_MS;
    const { broker, error, message } = entry.log;
    const more = { ...(typeof broker === 'string' && { broker }), ...(typeof error === 'string' && { error }) };
    log.warn({ client: 'kafkajs', part: entry.namespace, ...more, leftOut }, message);
    leftOut = 0;
  };
}
