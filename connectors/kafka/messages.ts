/** What a record looks like in Kafka: its key, its message, and after a removal the tombstone that lets log compaction forget the key. */
import type { IHeaders } from 'kafkajs';
import { encoder } from '../../src/formats/encoder.ts';
import { keyJson } from '../../src/formats/item-key.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { KafkaOptions } from './options.ts';

export interface Content {
  readonly value: Buffer | null;
  readonly headers: IHeaders;
}

export interface MessageForm {
  /** The item's key, which decides the partition. */
  key(record: ChangeRecord): Buffer;
  /** One message, or two; a record counts as written when all of them are. */
  encode(record: ChangeRecord, traceparent?: string): { readonly key: Buffer; readonly contents: readonly Content[] };
}

export function messageForm(
  options: Pick<KafkaOptions, 'format' | 'values' | 'tombstones'>,
  { clock, writer }: { readonly clock: Clock; readonly writer: string },
): MessageForm {
  const values = options.values && { values: options.values };
  const encode = encoder(options.format, { binary: true, name: writer, now: () => clock.now(), ...values });
  return {
    key: record => Buffer.from(keyJson(record)),
    encode: (record, traceparent) => {
      const { key, value, headers, contentType } = encode(record, traceparent);
      const message = { value: Buffer.from(value), headers: { ...headers, 'content-type': contentType } };
      const tombstone = { value: null, headers: { eventID: record.eventId } };
      const contents = record.kind === 'remove' && options.tombstones ? [message, tombstone] : [message];
      return { key: Buffer.from(key), contents };
    },
  };
}
