/**
 * Calls of streams that do not wait for ever: a read over a connection that a middlebox has forgotten would hang until the client's backstop, a minute
 * later, and nothing would be replicated meanwhile. An answer is a megabyte at most, so this is patience enough.
 */
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { StreamCalls } from './dynamodb-streams.ts';
import { inTime } from './timed-call.ts';

const ANSWER_MS: Ms = 10_000;

export function timedStreams(calls: StreamCalls, clock: Clock): StreamCalls {
  const patience = { clock, timeoutMs: ANSWER_MS };
  return {
    call: (operation, request, signal) => inTime(operation, patience, child => calls.call(operation, request, child), signal),
    keySchema: (table, signal) => inTime('DescribeTable', patience, child => calls.keySchema(table, child), signal),
    region: () => calls.region(),
  };
}
