/**
 * One real broker behind a proxy: connections that are closed or forgotten while they idle, answers that never come, and everything that a broker can
 * refuse. A record that could not be written must be told so; one that was acknowledged must be there.
 */
import { expect } from 'chai';
import kafkajs from 'kafkajs';
import type { Sink, SinkFault } from '../../src/connector.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import { openSink, readTopic } from '../../test/fakes/kafka-bench.ts';
import { keptLog } from '../../test/fakes/lease-world.ts';
import { simpleRecord } from '../../test/fakes/pipeline-world.ts';
import { type Kafka, startKafka } from '../../test/servers/kafka.ts';
import { makeTopic, withAdmin } from '../../test/servers/kafka-admin.ts';
import { freePort } from '../../test/servers/ports.ts';
import { type FaultyProxy, startProxy } from '../../test/servers/proxy.ts';

const IDLE_MS = 1_200;
/** Long before any timeout of a client, and more than a busy machine needs. */
const SOON_MS = 2_500;

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

async function write(sink: Sink, records: readonly ChangeRecord[], timeoutMs = 10_000) {
  return sink.write({ records, bytes: 0, replayedBefore: 0 }, AbortSignal.timeout(timeoutMs));
}

async function fault(work: Promise<unknown>): Promise<SinkFault> {
  return work.then(
    () => expect.fail('it did not fail'),
    (error: SinkFault) => error,
  );
}

const sized = (n: number, bytes: number) => simpleRecord(n, `key-${n}`, { after: { text: { S: 'x'.repeat(bytes) } } });

describe('kafka: a broker behind a proxy', function () {
  this.timeout(30_000);
  let kafka: Kafka;
  let proxy: FaultyProxy;
  before(async () => {
    const port = await freePort();
    proxy = await startProxy(port);
    kafka = await startKafka({
      ports: [port],
      advertisedPorts: [proxy.port],
      properties: {
        'connections.max.idle.ms': String(IDLE_MS),
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'allow.everyone.if.no.acl.found': 'true',
      },
    });
  });
  afterEach(() => proxy.mode('pass'));
  after(async () => {
    await kafka?.stop();
    await proxy?.stop();
  });

  const create = (topic: string, configs: Record<string, string> = {}, partitions = 3) =>
    makeTopic(kafka.brokers, {
      topic,
      numPartitions: partitions,
      configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
    });
  const eventIds = async (topic: string) => (await readTopic(kafka.brokers, topic)).map(({ eventId }) => eventId);

  it('a broker that closes idle connections: no write fails', async () => {
    const sink = await openSink(kafka.brokers, { topic: 'idle', createTopic: true });
    for (let n = 0; n < 4; n += 1) {
      expect(await write(sink, [simpleRecord(n, 'k')])).to.deep.equal({ failed: [] });
      if (n < 2) await pause(IDLE_MS * 1.8);
    }
    expect(await eventIds('idle')).to.deep.equal(['event-0', 'event-1', 'event-2', 'event-3']);
    await sink.close();
  });

  it('a connection that was forgotten without a word: the write is cut off, and the next one is not hurt', async () => {
    await create('forgotten');
    const sink = await openSink(kafka.brokers, { topic: 'forgotten' });
    await write(sink, [simpleRecord(1, 'k')]);
    await proxy.mode('forget');
    expect((await fault(write(sink, [simpleRecord(2, 'k')], 500))).disposition).to.equal('retry');
    await write(sink, [simpleRecord(2, 'k')]);
    expect(await eventIds('forgotten')).to.deep.equal(['event-1', 'event-2']);
    await sink.close();
  });

  it('a write that hangs and is aborted settles at once, and nothing of it arrives later', async () => {
    await create('hangs', {}, 1);
    const sink = await openSink(kafka.brokers, { topic: 'hangs' });
    await write(sink, [simpleRecord(0, 'k')]);
    for (const count of [1, 400]) {
      await proxy.mode('hang');
      const from = Date.now();
      await fault(
        write(
          sink,
          Array.from({ length: count }, (_, i) => sized(100 + i, 1_000)),
          300,
        ),
      );
      expect(Date.now() - from).to.be.lessThan(SOON_MS);
      // What has left us the proxy holds, until it learns of the reset.
      await pause(200);
      await proxy.mode('pass');
      await pause(300);
      expect(await eventIds('hangs')).to.deep.equal(['event-0']);
    }
    await sink.close();
  });

  it('K6: closes at once while a write hangs', async () => {
    await create('closes');
    const sink = await openSink(kafka.brokers, { topic: 'closes' });
    await proxy.mode('hang');
    const hanging = fault(write(sink, [simpleRecord(1, 'k')]));
    await pause(100);
    const from = Date.now();
    await sink.close();
    await hanging;
    await sink.close();
    expect(Date.now() - from).to.be.lessThan(SOON_MS);
  });

  it('a write that was done but whose answer is lost is given back: it may be there twice, never not', async () => {
    await create('answers', {}, 1);
    const sink = await openSink(kafka.brokers, { topic: 'answers' });
    await write(sink, [simpleRecord(1, 'k')]);
    await proxy.mode('drop-answers');
    expect((await fault(write(sink, [simpleRecord(2, 'k')], 500))).disposition).to.equal('retry');
    await proxy.mode('pass');
    await write(sink, [simpleRecord(2, 'k')]);
    expect(await eventIds('answers')).to.deep.equal(['event-1', 'event-2', 'event-2']);
    await sink.close();
  });

  it('an address that refuses and comes back', async () => {
    await create('refused');
    const sink = await openSink(kafka.brokers, { topic: 'refused' });
    await proxy.mode('refuse');
    expect((await fault(write(sink, [simpleRecord(1, 'k')]))).disposition).to.equal('retry');
    await proxy.mode('pass');
    await write(sink, [simpleRecord(1, 'k')]);
    expect(await eventIds('refused')).to.deep.equal(['event-1']);
    await sink.close();
  });

  it('K9: one record too large among small ones, where the limit is known and where compression hides it', async () => {
    await create('large', { 'max.message.bytes': '20000' }, 1);
    for (const compression of ['none', 'gzip']) {
      const sink = await openSink(kafka.brokers, { topic: 'large', compression });
      const noise = Array.from({ length: 30_000 }, (_, i) => String.fromCharCode(33 + ((i * 7919 + ((i * i) % 911)) % 90))).join('');
      const large = simpleRecord(2, 'key-2', { after: { text: { S: noise } } });
      const { failed } = await write(sink, compression === 'none' ? [sized(1, 10), large, sized(3, 10)] : [large]);
      expect(failed.map(({ disposition }) => disposition)).to.deep.equal(['reject']);
      expect(failed[0]?.reason)
        .to.match(/\d{5} bytes/)
        .and.match(/max\.message\.bytes/);
      await sink.close();
    }
    const small = await openSink(kafka.brokers, { topic: 'large' });
    expect(
      await write(
        small,
        Array.from({ length: 100 }, (_, n) => sized(n, 1_000)),
      ),
    ).to.deep.equal({ failed: [] });
    await small.close();
  });

  it('a time that the broker refuses is sent again with now', async () => {
    await create('times', { 'message.timestamp.before.max.ms': '3600000' }, 1);
    const sink = await openSink(kafka.brokers, { topic: 'times' });
    const from = Date.now();
    for (const changedAt of [from - 86_400_000, from + 7_200_000, from - 1_000]) await write(sink, [simpleRecord(1, 'k', { changedAt })]);
    const [old, future, good] = (await readTopic(kafka.brokers, 'times')).map(({ message }) => Number(message.timestamp) - from);
    expect(old).to.be.within(0, 5_000);
    expect(future).to.be.within(0, 5_000);
    expect(good).to.equal(-1_000);
    await sink.close();
  });

  it('K8: compressed messages are readable, gzip and zstd', async () => {
    for (const compression of ['gzip', 'zstd']) {
      const sink = await openSink(kafka.brokers, { topic: compression, createTopic: true, compression });
      await write(
        sink,
        Array.from({ length: 300 }, (_, n) => sized(n, 1_000)),
      );
      expect(await eventIds(compression)).to.have.length(300);
      await sink.close();
    }
  });

  it('a topic that is missing halts with the mend; createTopic makes it, with the broker’s defaults', async () => {
    const missing = await fault(openSink(kafka.brokers, { topic: 'missing' }));
    expect([missing.disposition, missing.heals]).to.deep.equal(['halt', true]);
    expect(missing.message).to.contain('topic missing does not exist').and.contain('createTopic');
    const log = keptLog();
    const sink = await openSink(kafka.brokers, { topic: 'missing', createTopic: true }, log);
    expect(log.lines.map(({ message }) => message)).to.contain('the topic was missing and has been created');
    await sink.close();
  });

  it('a topic that is deleted and made anew with fewer partitions goes on', async () => {
    await create('anew', {}, 6);
    const sink = await openSink(kafka.brokers, { topic: 'anew' });
    const records = Array.from({ length: 30 }, (_, n) => simpleRecord(n, `k${n}`));
    await write(sink, records);
    await withAdmin(kafka.brokers, admin => admin.deleteTopics({ topics: ['anew'] }));
    await create('anew', {}, 2);
    const isWritten = () =>
      write(sink, records).then(
        ({ failed }) => failed.length === 0,
        () => false,
      );
    for (let tries = 0; !(await isWritten()); tries += 1) {
      expect(tries).to.be.lessThan(100);
      await pause(100);
    }
    expect(new Set(await eventIds('anew')).size).to.equal(30);
    await sink.close();
  });

  it('a denied topic halts the sink and names the permission; a grant heals it', async () => {
    await create('denied');
    const { AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes } = kafkajs;
    const acl = {
      resourceType: AclResourceTypes.TOPIC,
      resourceName: 'denied',
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: 'User:ANONYMOUS',
      host: '*',
      operation: AclOperationTypes.WRITE,
      permissionType: AclPermissionTypes.DENY,
    };
    const describe = { operation: AclOperationTypes.DESCRIBE, permissionType: AclPermissionTypes.ALLOW };
    const sink = await openSink(kafka.brokers, { topic: 'denied' });
    await withAdmin(kafka.brokers, admin => admin.createAcls({ acl: [acl, { ...acl, ...describe }] }));
    const denied = await fault(write(sink, [simpleRecord(1, 'k')]));
    expect([denied.disposition, denied.heals]).to.deep.equal(['halt', true]);
    expect(denied.message).to.contain('denied').and.contain('grant Write and Describe');
    // May not read the limit, and opens all the same.
    const second = await openSink(kafka.brokers, { topic: 'denied' });
    await second.close();
    await withAdmin(kafka.brokers, admin =>
      admin.deleteAcls({ filters: [{ ...acl, operation: AclOperationTypes.ANY, permissionType: AclPermissionTypes.ANY }] }),
    );
    expect(await write(sink, [simpleRecord(1, 'k')])).to.deep.equal({ failed: [] });
    await sink.close();
  });
});
