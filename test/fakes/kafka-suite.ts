/** What the kafka connector tells the contract suite of itself, be its target a stub or a real broker. */
import type { Message } from 'kafkajs';
import type { Image } from '../../src/model/item.ts';
import type { Seen, SinkPromises, SinkSuite } from '../contract/sink/suite.ts';

export const KAFKA_PROMISES: SinkPromises = {
  keeps: 'log',
  partialFailure: 'whole-batch',
  replay: 'duplicates',
  tombstones: true,
  exactImages: true,
  recordLimit: { fits: 1_000_000, tooLarge: 1_048_600 },
};

export const KAFKA_CANNOT: SinkSuite<unknown>['cannot'] = {
  throttle: 'a broker over its quota delays its answers, and the client waits with its next request',
  failRecords: 'a broker takes or refuses a request as a whole',
};

/** A message in Debezium's form, or a tombstone. */
export function seen({ value, headers }: Pick<Message, 'value' | 'headers'>): Seen {
  const eventId = String(headers?.['eventID']);
  if (value === null) return { eventId, tombstone: true };
  const { after } = JSON.parse(String(value)) as { after: Image | null };
  return { eventId, after: after ?? undefined };
}
