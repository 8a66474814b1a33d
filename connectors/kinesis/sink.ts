/**
 * Writes batches by PutRecords. A request fails in part: each record that was refused is named, with what the service said, so that its key waits and
 * the others go on. PutRecords keeps no order inside a request, which is why a batch holds one record of a key (`oncePerKey`).
 */
import type { Batch, Failed, Host, Sink, Written } from '../../src/connector.ts';
import { SinkFault } from '../../src/connector.ts';
import type { KinesisApi, KinesisResult } from '../../src/ports/kinesis-api.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import { entryMaker, REQUEST_BYTES, type SizedEntry } from './entries.ts';
import type { KinesisOptions } from './options.ts';

export function kinesisSink(api: KinesisApi, options: KinesisOptions, at: { host: Host; recordBytes: number }): Sink {
  const entryOf = entryMaker(options);
  return {
    async write(batch, signal) {
      const failed: Failed[] = [];
      for (const { entries, indexes } of requests(batch, { entryOf, recordBytes: at.recordBytes, failed })) {
        const results = await put(api, options, entries, signal);
        failed.push(...refusals(results, indexes));
      }
      const throttled = failed.filter(({ reason }) => reason.startsWith(THROTTLED)).length;
      if (throttled > 0) at.host.count('throttle', throttled);
      return { failed } satisfies Written;
    },
    async close() {},
  };
}

interface Request {
  entries: SizedEntry[];
  indexes: number[];
  bytes: number;
}

/** Mostly one; more only where encoding made the records larger than what the batch counted. What cannot be sent at all goes to `failed`. */
function requests(
  batch: Batch,
  as: { entryOf: (record: Batch['records'][number]) => SizedEntry; recordBytes: number; failed: Failed[] },
): Request[] {
  const all: Request[] = [];
  for (const [index, record] of batch.records.entries()) {
    const entry = as.entryOf(record);
    if (entry.bytes > as.recordBytes) {
      as.failed.push({ index, disposition: 'reject', reason: `${entry.bytes} bytes encoded, and a record may have ${as.recordBytes}` });
      continue;
    }
    let request = all.at(-1);
    if (request === undefined || request.bytes + entry.bytes > REQUEST_BYTES) {
      request = { entries: [], indexes: [], bytes: 0 };
      all.push(request);
    }
    request.entries.push(entry);
    request.indexes.push(index);
    request.bytes += entry.bytes;
  }
  return all;
}

async function put(
  api: KinesisApi,
  options: KinesisOptions,
  entries: readonly SizedEntry[],
  signal: AbortSignal,
): Promise<readonly KinesisResult[]> {
  try {
    const results = await api.putRecords(
      options.stream,
      entries.map(({ Data, PartitionKey }) => ({ Data, PartitionKey })),
      signal,
    );
    if (results.length !== entries.length) throw new SinkFault('retry', `${results.length} answers to ${entries.length} records`);
    return results;
  } catch (error) {
    throw error instanceof ServiceFault ? faultOf(error, `kinesis:PutRecords on stream ${options.stream}`) : error;
  }
}

const THROTTLED = 'ProvisionedThroughputExceededException';

function refusals(results: readonly KinesisResult[], indexes: readonly number[]): Failed[] {
  return results.flatMap((result, i) => {
    const index = indexes[i];
    if (result.ErrorCode === undefined || index === undefined) return [];
    return [{ index, disposition: 'retry' as const, reason: `${result.ErrorCode}: ${result.ErrorMessage ?? ''}` }];
  });
}

/** What a refusal of a whole request means; `action` names what was tried on what. */
export function faultOf(error: ServiceFault, action: string): SinkFault {
  const reason = `${action}: ${error.name}: ${error.message}`;
  switch (error.class) {
    case 'denied':
      return new SinkFault('halt', `${reason}. Grant this action on this resource.`, { heals: true, cause: error });
    case 'missing':
      return new SinkFault('halt', `${reason}. Create the stream, or name another.`, { heals: true, cause: error });
    case 'invalid':
      return new SinkFault('retry', reason, { judged: true, cause: error });
    default:
      return new SinkFault('retry', reason, { cause: error });
  }
}
