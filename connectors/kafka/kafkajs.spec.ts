/**
 * The faults of kafkajs 2.2.4 that the connector is built around: shown here to be there (so that a version without them lets us take a guard down),
 * and mended or avoided. The guards that need a sink or a server stand in sink.spec, links.spec, requests.spec and kafka.contract.spec, by the same
 * numbers. Not used, so not guarded: K5 (idempotent producer), K14 (transactions). K11 (old protocol versions) is held by the contract suite, which
 * runs against Kafka 4.1; K12 (MSK tokens) by `Links`: no client grows older than a token, and one that failed to log in is thrown away.
 */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import kafkajs from 'kafkajs';
import { keptLog } from '../../test/fakes/lease-world.ts';
import { virtualClock } from '../../test/fakes/virtual-clock.ts';
import { COMPRESSION, KafkaClients } from './client.ts';
import { quietLog } from './log-creator.ts';
import { optionsSchema } from './options.ts';
import { zstdCodec } from './zstd.ts';

const require = createRequire(import.meta.url);
const silent = { info() {}, warn() {}, error() {}, debug() {}, namespace: () => silent };

interface StubBroker {
  readonly nodeId: number;
  produce(request: {
    topicData: { topic: string; partitions: { partition: number; messages: { value: string }[] }[] }[];
  }): Promise<unknown>;
}
type SendMessages = (options: object) => (request: object) => Promise<{ partition: number }[]>;

/** kafkajs' own sending over two brokers; broker 2 fails once, and the leader of partition 1 moves to broker 1 meanwhile. */
function stubbedCluster() {
  const written: string[] = [];
  const leaders: Record<number, number> = { 0: 1, 1: 2 };
  const broker = (nodeId: number): StubBroker => ({
    nodeId,
    async produce({ topicData }) {
      const partitions = topicData.flatMap(({ partitions }) => partitions);
      if (nodeId === 2) {
        leaders[1] = 1;
        await new Promise(resolve => setImmediate(resolve));
        throw new kafkajs.KafkaJSProtocolError({ type: 'NOT_LEADER_FOR_PARTITION', code: 6, retriable: true, message: 'moved' } as never);
      }
      for (const { messages } of partitions) written.push(...messages.map(({ value }) => value));
      return { topics: [{ topicName: 't', partitions: partitions.map(({ partition }) => ({ partition, errorCode: 0 })) }] };
    },
  });
  const brokers: Record<number, StubBroker> = { 1: broker(1), 2: broker(2) };
  const cluster = {
    addMultipleTargetTopics: async () => {},
    refreshMetadataIfNecessary: async () => {},
    refreshMetadata: async () => {},
    isConnected: () => true,
    findTopicPartitionMetadata: () => [0, 1].map(partitionId => ({ partitionId, leader: leaders[partitionId] })),
    findLeaderForPartitions: (_topic: string, partitions: string[]) =>
      Object.fromEntries(
        Object.entries(Object.groupBy(partitions, partition => String(leaders[Number(partition)]))).map(([leader, ids]) => [
          leader,
          ids?.map(Number),
        ]),
      ),
    findBroker: async ({ nodeId }: { nodeId: string }) => brokers[Number(nodeId)],
  };
  const eosManager = {
    acquireBrokerLock: async () => {},
    releaseBrokerLock: async () => {},
    isTransactional: () => false,
    getSequence: () => 0,
    updateSequence() {},
    getProducerId: () => -1,
    getProducerEpoch: () => 0,
  };
  const retrier = require('kafkajs/src/retry')({ retries: 3, initialRetryTime: 1 });
  const partitioner = ({ message }: { message: { partition: number } }) => message.partition;
  const sendMessages = (require('kafkajs/src/producer/sendMessages') as SendMessages)({
    logger: silent,
    cluster,
    partitioner,
    eosManager,
    retrier,
  });
  const send = (...messages: { partition: number; value: string }[]) =>
    sendMessages({ acks: -1, topicMessages: [{ topic: 't', messages }] });
  return { send, written };
}

describe('kafkajs 2.2.4', () => {
  it('K1: loses a partition in silence when one request carries two', async () => {
    const { send, written } = stubbedCluster();
    const answer = await send({ partition: 0, value: 'a' }, { partition: 1, value: 'b' });
    expect(written, 'if this fails, the fault is gone').to.deep.equal(['a']);
    expect(answer.map(({ partition }) => partition)).to.deep.equal([0]);
  });

  it('K1: loses nothing when each carries one', async () => {
    const { send, written } = stubbedCluster();
    await Promise.all([send({ partition: 0, value: 'a' }), send({ partition: 1, value: 'b' })]);
    expect(written).to.have.members(['a', 'b']);
  });

  it('K10: no timer is left behind when nothing is pending, one is set when something is', () => {
    const RequestQueue = require('kafkajs/src/network/requestQueue');
    const queue = new RequestQueue({ maxInFlightRequests: 1, requestTimeout: 1, clientId: 'c', broker: 'b', logger: silent });
    queue.checkPendingRequests();
    expect(queue.throttleCheckTimeoutId).to.equal(null);
    queue.throttledUntil = Number.POSITIVE_INFINITY;
    queue.pending.push({});
    queue.throttledUntil = Date.now() + 50;
    queue.scheduleCheckPendingRequests();
    expect(queue.throttleCheckTimeoutId).not.to.equal(null);
    queue.destroy();
  });

  it('a partition without a leader does not hide the others; a topic that is missing is still an error', async () => {
    const { parse } = require('kafkajs/src/protocol/requests/metadata').protocol({ version: 6 })({ topics: ['t'] }).response;
    const partition = { partitionErrorCode: 5, partitionId: 0, leader: -1 };
    const answer = { topicMetadata: [{ topicErrorCode: 0, topic: 't', partitionMetadata: [partition] }] };
    expect(await parse(answer)).to.equal(answer);
    const missing = parse({ topicMetadata: [{ topicErrorCode: 3, topic: 't', partitionMetadata: [] }] });
    expect(await missing.catch((error: { type: string }) => error.type)).to.equal('UNKNOWN_TOPIC_OR_PARTITION');
  });

  it('K8: gzip is its own, Zstandard is Node’s, and the others are refused by the options', async () => {
    const text = Buffer.from('some text, some text, some text');
    expect(await zstdCodec.decompress(await zstdCodec.compress({ buffer: text }))).to.deep.equal(text);
    expect(COMPRESSION.zstd).to.equal(kafkajs.CompressionTypes.ZSTD);
    expect(kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD]()).to.equal(zstdCodec);
    const parsed = optionsSchema.safeParse({ brokers: ['b:1'], topic: 't', compression: 'snappy' });
    expect(parsed.error?.issues[0]?.message).to.contain('no snappy');
  });

  it('K6, K7: a client whose broker is not there says so at once, and cannot be used once it is destroyed', async () => {
    const options = optionsSchema.parse({ brokers: ['127.0.0.1:1'], topic: 't' });
    const clients = new KafkaClients(options, undefined, { logCreator: () => () => {}, onPartitions() {} });
    const client = clients.make();
    const connect = () => client.producer.connect().catch((error: Error) => error.message);
    expect(await connect()).to.contain('ECONNREFUSED');
    client.destroy({ reset: true });
    expect(await connect()).to.contain('this client was destroyed');
  });

  it('K6: a client that waits for a silent broker is ended at once, its timers too', async () => {
    const silentBroker = createServer().listen(0, '127.0.0.1');
    await once(silentBroker, 'listening');
    const { port } = silentBroker.address() as AddressInfo;
    for (const ssl of [true, false]) {
      const options = optionsSchema.parse({ brokers: [`127.0.0.1:${port}`], topic: 't', ssl });
      const client = new KafkaClients(options, undefined, { logCreator: () => () => {}, onPartitions() {} }).make();
      const connecting = client.producer.connect().catch((error: Error) => error.message);
      client.destroy({ reset: true });
      expect(await connecting).to.contain('this client was destroyed');
    }
    silentBroker.close();
  });

  it('logs at most one line each ten seconds, and says how many were left out', async () => {
    const log = keptLog();
    const clock = virtualClock();
    const write = quietLog(log, clock)(kafkajs.logLevel.WARN);
    const entry = (message: string) => ({
      namespace: 'Connection',
      level: kafkajs.logLevel.ERROR,
      label: 'ERROR',
      log: { timestamp: '', message, broker: 'b:1' },
    });
    for (let i = 0; i < 200; i += 1) write(entry(`line ${i}`));
    await clock.advance(10_000);
    write(entry('later'));
    expect(log.lines.map(({ message, fields }) => [message, fields['leftOut']])).to.deep.equal([
      ['line 0', 0],
      ['later', 199],
    ]);
  });
});
