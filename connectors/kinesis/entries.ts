/** A change as an entry of PutRecords: its data, its partition key, and whether it fits. */
import { createHash } from 'node:crypto';
import { encoder } from '../../src/formats/encoder.ts';
import { keyJson } from '../../src/formats/item-key.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import type { KinesisEntry } from '../../src/ports/kinesis-api.ts';
import type { KinesisOptions } from './options.ts';

const KEY_CHARACTERS = 256;

/** What a record may have at most, data and partition key together; the service's default. */
export const RECORD_BYTES = 1024 * 1024;
/** Of a request, partition keys included, and of its records. */
export const REQUEST_BYTES = 10 * 1024 * 1024;
export const REQUEST_RECORDS = 500;

export interface SizedEntry extends KinesisEntry {
  readonly bytes: number;
}

export function entryMaker(options: Pick<KinesisOptions, 'format' | 'values' | 'partitionBy'>): (record: ChangeRecord) => SizedEntry {
  const encode = encoder(options.format, options.values === undefined ? {} : { values: options.values });
  const keyOf = options.partitionBy === 'item' ? keyJson : partitionKeyJson;
  return record => {
    const Data = encode(record).value;
    const PartitionKey = partitionKey(keyOf(record));
    return { Data, PartitionKey, bytes: Buffer.byteLength(Data) + Buffer.byteLength(PartitionKey) };
  };
}

/** The service takes 256 characters at most; a longer key is told apart by its hash as well. */
export function partitionKey(key: string): string {
  return key.length <= KEY_CHARACTERS ? key : createHash('sha256').update(key).digest('hex');
}

function partitionKeyJson(record: ChangeRecord): string {
  const { source } = record;
  return keyJson({ ...record, source: { ...source, keyNames: [source.keyNames[0]] } });
}
