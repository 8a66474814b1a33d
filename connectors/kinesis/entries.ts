/**
 * How a batch becomes requests of PutRecords: pure. Each change is one entry, its data in the format asked for, its partition key the item's key. What can
 * never fit is refused here, by size and limit, so that its neighbours are not held up.
 */
import { hash } from 'node:crypto';
import type { Failed } from '../../src/connector.ts';
import type { Encoder } from '../../src/formats/encoded.ts';
import { type Keyed, keyJson, partitionKeyJson } from '../../src/formats/item-key.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import type { KinesisEntry } from '../../src/ports/kinesis-api.ts';
import type { KinesisOptions } from './options.ts';

/** Of a request, partition keys included. */
export const REQUEST_BYTES = 10 * 1024 * 1024;
export const REQUEST_RECORDS = 500;

/** Counted in UTF-16 units, which are never fewer than characters, however the service counts these. */
const PARTITION_KEY_CHARACTERS = 256;

/** A record and its place in the batch. */
export type Indexed = readonly [number, ChangeRecord];

export interface Request {
  readonly entries: KinesisEntry[];
  /** Of the entries' records in the batch. */
  readonly indexes: number[];
  bytes: number;
}

export interface Cut {
  readonly encode: Encoder;
  readonly partitionBy: KinesisOptions['partitionBy'];
  readonly recordBytes: number;
}

/** Mostly one request; more only where encoding made the records larger than the batch counted. */
export function requestsOf(
  records: Iterable<Indexed>,
  { encode, partitionBy, recordBytes }: Cut,
): { readonly requests: readonly Request[]; readonly refused: readonly Failed[] } {
  const requests: Request[] = [];
  const refused: Failed[] = [];
  for (const [index, record] of records) {
    const entry = { Data: encode(record).value, PartitionKey: partitionKey(record, partitionBy) };
    const bytes = Buffer.byteLength(entry.Data) + Buffer.byteLength(entry.PartitionKey);
    if (bytes > recordBytes) {
      refused.push({
        index,
        disposition: 'reject',
        reason: `the record has ${bytes} bytes with its partition key, the stream takes ${recordBytes}`,
      });
      continue;
    }
    const open = requests.at(-1);
    const fits = open !== undefined && open.entries.length < REQUEST_RECORDS && open.bytes + bytes <= REQUEST_BYTES;
    const request = fits ? open : { entries: [], indexes: [], bytes: 0 };
    if (!fits) requests.push(request);
    request.entries.push(entry);
    request.indexes.push(index);
    request.bytes += bytes;
  }
  return { requests, refused };
}

/** The key's text, or its SHA-256 where that is longer than the service takes. */
export function partitionKey(record: Keyed, partitionBy: KinesisOptions['partitionBy']): string {
  const text = partitionBy === 'item' ? keyJson(record) : partitionKeyJson(record);
  return text.length <= PARTITION_KEY_CHARACTERS ? text : hash('sha256', text, 'hex');
}
