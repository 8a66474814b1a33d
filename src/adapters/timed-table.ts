/**
 * A table client that does not wait longer than it says. Lease writes need it: an answer that is late is worth no more than none, and the next try
 * must begin while the lease is still valid. A call that ran out of time counts as one without an answer: what became of it is not known.
 */
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { TableApi } from '../ports/table-api.ts';

export function timedTable(table: TableApi, clock: Clock, timeoutMs: Ms): TableApi {
  return {
    async call(name, request, signal) {
      const child = new AbortController();
      const abort = () => child.abort(signal.reason);
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      let late = false;
      const cancel = clock.after(timeoutMs, () => {
        late = true;
        child.abort();
      });
      try {
        return await table.call(name, request, child.signal);
      } catch (error) {
        if (!late || signal.aborted) throw error;
        throw new ServiceFault('TimeoutError', `${name} had no answer within ${timeoutMs} ms`, { class: 'network', cause: error });
      } finally {
        cancel();
        signal.removeEventListener('abort', abort);
      }
    },
  };
}
