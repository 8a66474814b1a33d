/** The contract suite against the stubbed cluster. */
import type { Message } from 'kafkajs';
import { describeSink } from '../../test/contract/describe-sink.ts';
import type { SinkTarget } from '../../test/contract/sink/suite.ts';
import { KAFKA_CANNOT, KAFKA_PROMISES, seen } from '../../test/fakes/kafka-suite.ts';
import { protocolError, StubKafka } from '../../test/fakes/stub-kafka.ts';
import kafka from './index.ts';
import { openWith } from './open.ts';
import type { KafkaOptions } from './options.ts';

/** Each target's cluster, by the address that its options name. */
const clusters = new Map<string, StubKafka>();

const SHAPE = { partitions: 3, maxBytes: 1_048_588 };

function stubTarget(): SinkTarget {
  const address = `stub-${clusters.size}:1`;
  const cluster = new StubKafka();
  clusters.set(address, cluster);
  cluster.topic('orders', SHAPE);
  const fails = (error: () => Error) => async () => {
    cluster.onConnect(error);
    cluster.onSend(error);
  };
  return {
    options: { brokers: [address], topic: '{table}' },
    resource: 'orders',
    action: 'Write',
    readBack: async () => [0, 1, 2].flatMap(partition => cluster.log('orders', partition)).map((message: Message) => seen(message)),
    faults: {
      hang: async () => cluster.onSend(() => 'hang'),
      refuse: fails(() => new Error('connect ECONNREFUSED')),
      loseAnswers: async () => cluster.onSend(() => 'unanswered'),
      deny: async () => cluster.onSend(() => protocolError('TOPIC_AUTHORIZATION_FAILED')),
      remove: async () => cluster.drop('orders'),
    },
    heal: async () => {
      cluster.onConnect(() => undefined);
      cluster.onSend(() => 'written');
      if (!cluster.has('orders')) cluster.topic('orders', SHAPE);
    },
  };
}

describeSink<KafkaOptions>('kafka, stubbed', {
  connector: {
    ...kafka,
    open: (options, host) => {
      const cluster = clusters.get(options.brokers[0] ?? '') ?? new StubKafka();
      return openWith(options, host, listen => {
        cluster.listen(listen);
        return cluster.make;
      });
    },
  },
  sample: { brokers: ['broker:9092'], topic: 'orders' },
  target: async () => stubTarget(),
  promises: KAFKA_PROMISES,
  cannot: KAFKA_CANNOT,
  quietMs: 0,
});
