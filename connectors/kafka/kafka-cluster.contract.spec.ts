/**
 * Three real brokers: one killed while producing, leaders that move, a partition whose only broker is gone, a topic that grows. What is held: nothing
 * that was acknowledged is lost, and the first deliveries of a key keep its order.
 */
import { expect } from 'chai';
import { compare, openSink, readTopic, writer } from '../../test/fakes/kafka-bench.ts';
import { simpleRecord } from '../../test/fakes/pipeline-world.ts';
import { type Kafka, startKafka } from '../../test/servers/kafka.ts';
import { makeTopic, withAdmin } from '../../test/servers/kafka-admin.ts';

const records = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) =>
    simpleRecord(from + i, `key-${(from + i) % 300}`, { after: { pk: { S: 'x' }, text: { S: 'x'.repeat(700) } } }),
  );

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

describe('kafka: a cluster of three', function () {
  this.timeout(90_000);
  let kafka: Kafka;
  before(async () => {
    kafka = await startKafka({ brokers: 3 });
  });
  after(() => kafka?.stop());

  const create = (topic: string, partitions: { replicas: number[] }[]) =>
    makeTopic(kafka.brokers, { topic, replicaAssignment: partitions.map(({ replicas }, partition) => ({ partition, replicas })) });

  it('moves with the leaders: nothing lost, order kept', async () => {
    await create('moves', [{ replicas: [1, 2] }, { replicas: [2, 3] }, { replicas: [3, 1] }]);
    const sink = await openSink(kafka.brokers, { topic: 'moves' });
    const out = writer(sink);
    const sent = records(0, 6_000);
    out.add(sent.slice(0, 2_000));
    const moves = [
      [3, 2],
      [1, 3],
      [2, 1],
    ].map((replicas, partition) => ({ partition, replicas }));
    await withAdmin(kafka.brokers, admin =>
      admin.alterPartitionReassignments({ topics: [{ topic: 'moves', partitionAssignment: moves }] }),
    );
    for (let from = 2_000; from < 6_000; from += 200) {
      out.add(sent.slice(from, from + 200));
      await pause(50);
    }
    await out.drained();
    const result = compare(sent, await readTopic(kafka.brokers, 'moves'));
    console.log(
      `      leaders moved: ${out.faults.length} retries, ${result.duplicates} duplicates, worst pause ${Math.round(out.worstPauseMs())} ms`,
    );
    expect(result).to.deep.include({ lost: 0, disordered: [] });
    await sink.close();
  });

  it('a topic that grows: nothing lost, and the new partitions are used', async () => {
    await create('grows', [{ replicas: [1, 2] }]);
    const sink = await openSink(kafka.brokers, { topic: 'grows' });
    const out = writer(sink);
    const sent = records(0, 600);
    out.add(sent.slice(0, 300));
    await out.drained();
    await withAdmin(kafka.brokers, admin => admin.createPartitions({ topicPartitions: [{ topic: 'grows', count: 4 }] }));
    await sink.close();
    const again = await openSink(kafka.brokers, { topic: 'grows' });
    const more = writer(again);
    more.add(sent.slice(300));
    await more.drained();
    const delivered = await readTopic(kafka.brokers, 'grows');
    expect(compare(sent, delivered).lost).to.equal(0);
    expect(new Set(delivered.map(({ partition }) => partition)).size).to.equal(4);
    await again.close();
  });

  it('a broker killed with SIGKILL while producing: nothing lost, order kept; partitions of others go on', async () => {
    await create(
      'kill',
      Array.from({ length: 6 }, (_, i) => ({ replicas: [0, 1, 2].map(n => ((i + n) % 3) + 1) })),
    );
    await create('alone', [{ replicas: [1] }, { replicas: [2] }, { replicas: [3] }]);
    const sink = await openSink(kafka.brokers, { topic: 'kill' });
    const alone = await openSink(kafka.brokers, { topic: 'alone', acks: 1 });
    const out = writer(sink);
    const sent = records(0, 20_000);
    for (let from = 0; from < sent.length; from += 500) {
      out.add(sent.slice(from, from + 500));
      if (from === 5_000) await kafka.killBroker(0);
      await pause(100);
    }
    await out.drained();
    const survivors = kafka.brokers.slice(1);
    const result = compare(sent, await readTopic(survivors, 'kill'));
    console.log(
      `      broker killed: ${out.faults.length} retries, ${result.duplicates} duplicates, worst pause ${Math.round(out.worstPauseMs())} ms`,
    );
    expect(result).to.deep.include({ lost: 0, disordered: [] });
    await sink.close();

    const others = Array.from({ length: 60 }, (_, n) => simpleRecord(n, `k${n}`)).filter(record => alone.group(record) !== 'alone-0');
    for (const record of others) await alone.write({ records: [record], bytes: 200, replayedBefore: 0 }, AbortSignal.timeout(10_000));
    expect(others.length).to.be.greaterThan(20);
    await alone.close();
  });
});
