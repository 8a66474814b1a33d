/**
 * The attributes of the change as a CloudEvent 1.0. The data is the record as Lambda sees it. In structured JSON both stand in one object; in Kafka's
 * binary mode the attributes are headers, and the data's type is the message's content type.
 */
import type { ChangeRecord } from '../model/change-record.ts';
import { isoTime } from '../model/iso-time.ts';
import { eventNameOf } from './lambda-event.ts';

/** Sequences are compared as text, so they are all as long as the longest can be. */
const SEQUENCE_DIGITS = 40;

/** `traceparent` as the extension for distributed tracing has it. */
export function cloudEventAttributes(record: ChangeRecord, key: string, traceparent?: string): Readonly<Record<string, string>> {
  return {
    specversion: '1.0',
    id: record.eventId,
    source: record.source.streamArn,
    type: `com.amazonaws.dynamodb.${eventNameOf(record)}`,
    subject: record.source.table,
    time: isoTime(record.changedAt, 3),
    partitionkey: key,
    sequence: record.token.padStart(SEQUENCE_DIGITS, '0'),
    ...(traceparent !== undefined && { traceparent }),
  };
}

export function cloudEventHeaders(record: ChangeRecord, key: string, traceparent?: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(cloudEventAttributes(record, key, traceparent)).map(([name, value]) => [`ce_${name}`, value]));
}
