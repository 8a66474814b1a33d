/**
 * How a batch becomes requests: pure. Each carries messages of one topic-partition only (K1), at most 500 of them (K3: the client's grouping is
 * quadratic) and at most as many bytes as the topic takes at once. In the ordinary case a batch is one request: batches are cut by topic-partition.
 */
import type { IHeaders } from 'kafkajs';
import type { EpochMs } from '../../src/model/units.ts';

/** A message, and which record of the batch it stands for. */
export interface Outgoing {
  readonly index: number;
  readonly partition: number;
  readonly key: Buffer;
  readonly value: Buffer | null;
  readonly headers: IHeaders;
  readonly time: EpochMs;
}

export interface ProduceRequest {
  readonly partition: number;
  readonly messages: readonly Outgoing[];
}

export const MESSAGES_PER_REQUEST = 500;
export const BYTES_PER_REQUEST = 900_000;

/** Of the record batch that holds a request's messages. */
const BATCH_BYTES = 61;
/** What a message's place and time in its batch may add to its size alone. */
const DELTA_BYTES = 10;

/** In order of the records, partition by partition. */
export function produceRequests(outgoing: readonly Outgoing[], maxBytes: number): ProduceRequest[] {
  const byPartition = new Map<number, Outgoing[]>();
  for (const message of outgoing) {
    const messages = byPartition.get(message.partition);
    if (messages) messages.push(message);
    else byPartition.set(message.partition, [message]);
  }
  const limit = Math.min(maxBytes, BYTES_PER_REQUEST);
  return [...byPartition].flatMap(([partition, messages]) => chunks(messages, limit).map(chunk => ({ partition, messages: chunk })));
}

function chunks(messages: readonly Outgoing[], limit: number): Outgoing[][] {
  const all: Outgoing[][] = [];
  let chunk: Outgoing[] = [];
  let bytes = BATCH_BYTES;
  for (const message of messages) {
    const size = messageBytes(message) - BATCH_BYTES + DELTA_BYTES;
    if (chunk.length > 0 && (chunk.length >= MESSAGES_PER_REQUEST || bytes + size > limit)) {
      all.push(chunk);
      chunk = [];
      bytes = BATCH_BYTES;
    }
    chunk.push(message);
    bytes += size;
  }
  all.push(chunk);
  return all;
}

/** The size of a message alone in its record batch, uncompressed: what a broker holds against `max.message.bytes`. */
export function messageBytes(message: Pick<Outgoing, 'key' | 'value' | 'headers'>): number {
  const { key, value, headers } = message;
  const names = Object.keys(headers);
  let body = 3 + sized(key.length) + (value === null ? 1 : sized(value.length)) + varIntBytes(names.length);
  for (const name of names) {
    const header = headers[name];
    body += sized(Buffer.byteLength(name)) + sized(Buffer.byteLength(typeof header === 'string' ? header : ''));
  }
  return BATCH_BYTES + sized(body);
}

const sized = (bytes: number): number => varIntBytes(bytes) + bytes;

/** Of a length, zigzag-encoded. */
function varIntBytes(length: number): number {
  return length < 64 ? 1 : length < 8192 ? 2 : length < 1_048_576 ? 3 : length < 134_217_728 ? 4 : 5;
}
