/**
 * A table client that does not wait longer than it says. Lease writes need it: an answer that is late is worth no more than none, and the next try
 * must begin while the lease is still valid.
 */
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { TableApi } from '../ports/table-api.ts';
import { inTime } from './timed-call.ts';

export function timedTable(table: TableApi, clock: Clock, timeoutMs: Ms): TableApi {
  return {
    call: (name, request, signal) => inTime(name, { clock, timeoutMs }, child => table.call(name, request, child), signal),
  };
}
