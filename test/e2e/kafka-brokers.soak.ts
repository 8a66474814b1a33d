/**
 * Three brokers, one of which is killed and comes back, and partitions whose leader moves, while all four sinks are busy: no other sink is delayed, and the
 * topic is complete and in order afterwards. Part of `npm run soak`: three brokers take a while to start.
 */
import { expect } from 'chai';
import kafkajs from 'kafkajs';
import { type Kafka, startKafka } from '../servers/kafka.ts';
import { amount } from './numbers.ts';
import { type Fault, held, lagsByPhase, type Phase, playPhase } from './phases.ts';
import { closeShops, openShop } from './shop.ts';
import { expectComplete, verdictsOf } from './verdicts.ts';
import { delivering, idle } from './waiting.ts';

const SECONDS = amount('FAULT_SECONDS', 20);
const PER_SECOND = amount('RATE', 100);

const none = async () => {};

describe('three Kafka brokers', function () {
  this.timeout(300_000 + SECONDS * 10_000);
  let kafka: Kafka;
  before(async () => {
    kafka = await startKafka({ brokers: 3 });
  });
  afterEach(closeShops);
  after(() => kafka.stop());

  it(`one is killed, leaders move, ${SECONDS} s each: the other sinks keep their pace, the topic is complete`, async () => {
    const shop = await openShop({ brokers: kafka.brokers });
    const daemon = await shop.open();
    const writer = shop.writer({ padBytes: 2000 });
    const watch = await shop.watch();
    const load = { writer, perSecond: PER_SECOND, seconds: SECONDS };
    const usual: Fault = { name: 'no fault', hurt: undefined, begin: none, end: none };
    const faults: readonly Fault[] = [
      usual,
      { name: 'broker 1 killed', hurt: 'events', begin: () => kafka.killBroker(0), end: () => kafka.restartBroker(0) },
      { name: 'leaders moved', hurt: 'events', begin: () => moveLeaders(kafka, shop.places.kafka.topic), end: none },
    ];
    await playPhase(shop, usual, { ...load, seconds: 2 });
    await delivering(daemon);
    const phases: Phase[] = [];
    for (const fault of faults) {
      await idle(daemon, 120_000);
      phases.push(await playPhase(shop, fault, load));
    }
    await idle(daemon, 120_000);
    const verdicts = await verdictsOf(shop, writer.history, watch);
    expect(held(phases, await lagsByPhase(shop, phases, watch.seen))).eql([]);
    expectComplete(verdicts);
  });
});

/** Takes each partition from its leader: the leader is no replica any more. */
async function moveLeaders({ brokers }: Kafka, topic: string): Promise<void> {
  const admin = new kafkajs.Kafka({ clientId: 'e2e', brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const partitionAssignment = (topics[0]?.partitions ?? []).map(({ partitionId, leader, replicas }) => ({
    partition: partitionId,
    replicas: replicas.filter(id => id !== leader),
  }));
  await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] });
  await admin.disconnect();
}
