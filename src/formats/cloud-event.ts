/** CloudEvents 1.0: structured JSON, or attributes as headers beside the data (Kafka's binary mode). The data is the record as Lambda sees it. */
import type { ChangeRecord } from '../model/change-record.ts';
import { isoTime } from '../model/iso-time.ts';

const SEQUENCE_DIGITS = 40;
const TYPES = { insert: 'INSERT', modify: 'MODIFY', remove: 'REMOVE' } as const;

function attributes(record: ChangeRecord, key: string): Readonly<Record<string, string>> {
  return {
    specversion: '1.0',
    id: record.eventId,
    source: record.source.streamArn,
    type: `com.amazonaws.dynamodb.${TYPES[record.kind]}`,
    subject: record.source.table,
    time: isoTime(record.changedAt, 3),
    partitionkey: key,
    // Compared as text by consumers, so it is padded.
    sequence: record.token.padStart(SEQUENCE_DIGITS, '0'),
  };
}

export function structuredEvent(record: ChangeRecord, key: string, data: string): string {
  const head = JSON.stringify({ ...attributes(record, key), datacontenttype: 'application/json' });
  return `${head.slice(0, -1)},"data":${data}}`;
}

export function binaryHeaders(record: ChangeRecord, key: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(attributes(record, key)).map(([name, value]) => [`ce_${name}`, value]));
}
