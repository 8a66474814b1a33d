/**
 * Writes batches by PutRecords. A request fails in part: each record that was not taken is named, with what the service said, so that its key waits and the
 * others go on. PutRecords keeps no order inside a request, which is why a batch holds one record of a key (`oncePerKey`).
 */
import { type Batch, type Failed, type Host, type Sink, SinkFault, type Written } from '../../src/connector.ts';
import { encoder } from '../../src/formats/encoder.ts';
import type { KinesisApi } from '../../src/ports/kinesis-api.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import { type Cut, type Indexed, type Request, requestsOf } from './entries.ts';
import { isThrottle, recordFailure, requestFault } from './faults.ts';
import type { KinesisOptions } from './options.ts';
import type { RecordLimits } from './record-limits.ts';

export interface KinesisSinkParts {
  readonly api: KinesisApi;
  readonly options: KinesisOptions;
  readonly host: Pick<Host, 'clock' | 'writer' | 'count'>;
  readonly limits: RecordLimits;
}

interface ToCut {
  readonly stream: string;
  readonly entries: readonly Indexed[];
  readonly encode: Cut['encode'];
}

interface StreamRequest {
  readonly stream: string;
  readonly request: Request;
}

export class KinesisSink implements Sink {
  readonly #parts: KinesisSinkParts;
  readonly #encode: Cut['encode'];
  readonly #writes = new Set<AbortController>();

  constructor(parts: KinesisSinkParts) {
    const { options, host } = parts;
    this.#parts = parts;
    const { format, values } = options;
    this.#encode = encoder(format, { name: host.writer, now: () => host.clock.now(), ...(values && { values }) });
  }

  async write(batch: Batch, signal: AbortSignal): Promise<Written> {
    signal.throwIfAborted();
    const write = new AbortController();
    const abort = () => write.abort(signal.reason);
    this.#writes.add(write);
    signal.addEventListener('abort', abort);
    try {
      return { failed: await this.#write(batch, write.signal) };
    } finally {
      signal.removeEventListener('abort', abort);
      this.#writes.delete(write);
    }
  }

  /** The client is the house's; what is still being written ends with us. */
  async close(): Promise<void> {
    for (const write of this.#writes) write.abort(new Error('the sink was closed'));
  }

  /** One request after another; when one fails as a whole, what is not known to be durable is given back. */
  async #write(batch: Batch, signal: AbortSignal): Promise<readonly Failed[]> {
    const failed: Failed[] = [];
    const all = await this.#requests(batch, failed, signal);
    for (const [at, { stream, request }] of all.entries()) {
      try {
        failed.push(...(await this.#put(stream, request, signal)));
      } catch (error) {
        const fault = requestFault(error, 'kinesis:PutRecords', stream);
        if (error instanceof ServiceFault && error.class === 'throttled') this.#parts.host.count('throttle', 1);
        // A request that is refused for good is found again as the first one, then with nothing before it.
        if (at === 0) throw fault;
        const reason = fault instanceof SinkFault ? fault.message : String(fault);
        const left = all.slice(at).flatMap(({ request: { indexes } }) => indexes);
        return [...failed, ...left.map(index => ({ index, disposition: 'retry' as const, reason }))];
      }
    }
    return failed;
  }

  async #requests({ records, traceparent }: Batch, failed: Failed[], signal: AbortSignal): Promise<readonly StreamRequest[]> {
    const all: StreamRequest[] = [];
    const { options } = this.#parts;
    const encode: Cut['encode'] = record => this.#encode(record, traceparent?.(record));
    for (const [stream, entries] of Map.groupBy(records.entries(), ([, record]) => streamFor(options.stream, record.source.table))) {
      const { requests, refused } = await this.#cut({ stream, entries, encode }, signal);
      failed.push(...refused);
      all.push(...requests.map(request => ({ stream, request })));
    }
    return all;
  }

  /** Before a record is refused, the limit is looked at again; where that fails, the record waits for it and its neighbours do not. */
  async #cut({ stream, entries, encode }: ToCut, signal: AbortSignal): Promise<ReturnType<typeof requestsOf>> {
    const { options, limits } = this.#parts;
    const cut = () => requestsOf(entries, { encode, partitionBy: options.partitionBy, recordBytes: limits.of(stream) });
    const first = cut();
    if (first.refused.length === 0) return first;
    try {
      await limits.look(stream, signal);
      return cut();
    } catch (error) {
      if (!(error instanceof SinkFault)) throw error;
      return { ...first, refused: first.refused.map(({ index }) => ({ index, disposition: 'retry', reason: error.message })) };
    }
  }

  async #put(stream: string, { entries, indexes }: Request, signal: AbortSignal): Promise<readonly Failed[]> {
    const results = await this.#parts.api.putRecords(stream, entries, signal);
    const throttled = results.filter(isThrottle).length;
    if (throttled > 0) this.#parts.host.count('throttle', throttled);
    return indexes.flatMap((index, i) => recordFailure(results[i], index) ?? []);
  }
}

/** The stream for the changes of a table. */
export function streamFor(template: string, table: string): string {
  return template.replaceAll('{table}', table);
}
