/**
 * Kafka: every change as a message on a topic, in order per key, at least once. The key of a message is the item's key, its partition the one that the
 * Java client would choose. kafkajs 2.2.4 carries the bytes; it is given one topic-partition at a time and decides nothing (README, "The client").
 */
import type { Connector, Traits } from '../../src/connector.ts';
import { openKafka } from './open.ts';
import { type KafkaOptions, optionsSchema } from './options.ts';
import { BYTES_PER_REQUEST, MESSAGES_PER_REQUEST } from './requests.ts';

const traits: Traits = {
  order: 'key',
  coalesce: 'never',
  oncePerKey: false,
  inFlight: 8,
  // The wait is the linger of other clients: one round trip's worth of records share a request.
  batch: { records: MESSAGES_PER_REQUEST, bytes: BYTES_PER_REQUEST, waitMs: 10 },
  timeoutMs: 30_000,
};

const kafka: Connector<KafkaOptions> = { schema: optionsSchema, traits: () => traits, open: openKafka };

export default kafka;
