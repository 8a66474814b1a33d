/** What a record looks like in Kafka: its key, its message, and after a removal the tombstone that lets log compaction forget the key. */
import type { IHeaders } from 'kafkajs';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import type { KafkaOptions } from './options.ts';

export interface MessageForm {
  /** The item's key, which decides the partition. */
  key(record: ChangeRecord): Buffer;
  /** One message, or two; a record counts as written when all of them are. */
  messages(record: ChangeRecord): readonly { readonly value: Buffer | null; readonly headers: IHeaders }[];
}

export function messageForm(options: Pick<KafkaOptions, 'format' | 'values' | 'tombstones'>): MessageForm {
  return {
    key: record => Buffer.from(JSON.stringify(record.keys)),
    messages: record => {
      const headers = { eventID: record.eventId, 'content-type': 'application/json' };
      const message = { value: Buffer.from(JSON.stringify({ before: record.before, after: record.after })), headers };
      return record.kind === 'remove' && options.tombstones ? [message, { value: null, headers: { eventID: record.eventId } }] : [message];
    },
  };
}
