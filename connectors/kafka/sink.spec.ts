/** The sink's own decisions, against a stubbed cluster: what counts as written, what is given back, what is refused. */
import { expect } from 'chai';
import type { Batch, SinkFault, Written } from '../../src/connector.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import { keptLog } from '../../test/fakes/lease-world.ts';
import { SOURCE, simpleRecord } from '../../test/fakes/pipeline-world.ts';
import { protocolError, type StubFate, StubKafka } from '../../test/fakes/stub-kafka.ts';
import { virtualClock } from '../../test/fakes/virtual-clock.ts';
import { openWith } from './open.ts';
import { optionsSchema } from './options.ts';

const never = new AbortController().signal;
const NOW = Date.UTC(2026, 5, 1);

function batchOf(...records: ChangeRecord[]): Batch {
  return { records, bytes: records.reduce((sum, { bytes }) => sum + bytes, 0), replayedBefore: 0 };
}

async function setUp(more: { options?: object; partitions?: number; maxBytes?: number | undefined } = {}) {
  const kafka = new StubKafka();
  const { partitions = 6 } = more;
  kafka.topic('orders', { partitions, ...('maxBytes' in more ? { maxBytes: more.maxBytes } : { maxBytes: 1_048_588 }) } as {
    partitions: number;
  });
  const clock = virtualClock({ startAt: NOW });
  const options = optionsSchema.parse({ brokers: ['b:1'], topic: '{table}', ...more.options });
  const sources = [{ table: 'orders', region: 'us-east-1', tableId: 't' }];
  const sink = await openWith(options, { writer: 'test/orders', clock, log: keptLog(), signal: never, sources }, listen => {
    kafka.listen(listen);
    return kafka.make;
  });
  const write = (...records: ChangeRecord[]): Promise<Written> => sink.write(batchOf(...records), never);
  const fault = (...records: ChangeRecord[]) =>
    write(...records).then(
      () => undefined,
      (error: SinkFault) => error,
    );
  const fates = (...list: StubFate[]) => kafka.onSend(() => list.shift() ?? 'written');
  return { kafka, clock, sink, write, fault, fates };
}

/** Keys of one partition each, so that a batch of them is one request each. */
function keysByPartition(sink: { group(record: ChangeRecord): string }, count: number): string[] {
  const keys = new Map<string, string>();
  for (let i = 0; keys.size < count; i += 1) keys.set(sink.group(simpleRecord(1, `k${i}`)), `k${i}`);
  return [...keys.values()];
}

describe('kafka sink', () => {
  it('groups by topic-partition, and sends a record where its group says', async () => {
    const { kafka, sink, write } = await setUp();
    for (let n = 1; n <= 50; n += 1) {
      const record = simpleRecord(n, `key-${n}`);
      expect(await write(record)).to.deep.equal({ failed: [] });
      const { topic, partition } = kafka.sends.at(-1) ?? { topic: '', partition: -1 };
      expect(sink.group(record)).to.equal(`${topic}-${partition}`);
    }
  });

  it('K1: each request carries one topic-partition only, whatever the batch', async () => {
    const { kafka, write } = await setUp();
    await write(...Array.from({ length: 200 }, (_, n) => simpleRecord(n, `key-${n % 40}`)));
    expect(kafka.sends.length).to.be.greaterThan(1);
    for (const { partition, messages } of kafka.sends) expect(messages.every(message => message.partition === partition)).to.equal(true);
  });

  it('K1: an answer without a confirmation is a retry, with a new client and the topic read again', async () => {
    const { kafka, write, fault, fates } = await setUp();
    const clientsBefore = kafka.clients.length;
    fates('nothing');
    expect((await fault(simpleRecord(1, 'a')))?.disposition).to.equal('retry');
    expect(kafka.alive).to.equal(0);
    await write(simpleRecord(1, 'a'));
    // The client that failed, one that reads the topic, one that writes.
    expect(kafka.clients.length - clientsBefore).to.equal(3);
  });

  it('K1, K7: tries nothing again by itself', async () => {
    const { kafka, fault, fates } = await setUp();
    fates(protocolError('NOT_LEADER_FOR_PARTITION'));
    expect((await fault(simpleRecord(1, 'a')))?.disposition).to.equal('retry');
    expect(kafka.sends).to.have.length(1);
  });

  it('what was confirmed before a failure is durable, what comes after is given back', async () => {
    const { sink, write, fates } = await setUp();
    const [a = '', b = '', c = ''] = keysByPartition(sink, 3);
    fates('written', protocolError('NOT_ENOUGH_REPLICAS'));
    const { failed } = await write(simpleRecord(1, a), simpleRecord(2, b), simpleRecord(3, c), simpleRecord(4, b));
    expect(failed.map(({ index, disposition }) => [index, disposition])).to.deep.equal([
      [1, 'retry'],
      [3, 'retry'],
      [2, 'retry'],
    ]);
  });

  it('sends a tombstone right behind a removal, with its key, counted as one record', async () => {
    const { kafka, write } = await setUp();
    const { kind, ...removal } = { ...simpleRecord(1, 'a'), kind: 'remove' as const };
    expect(await write({ ...removal, kind })).to.deep.equal({ failed: [] });
    const [first, second, third] = kafka.sends[0]?.messages ?? [];
    expect([first?.value === null, second?.value, third]).to.deep.equal([false, null, undefined]);
    expect(second?.key).to.deep.equal(first?.key);
  });

  it('K9: refuses a record that the topic cannot take, with size and limit, and later ones of its key wait', async () => {
    const { kafka, write } = await setUp({ maxBytes: 2_000 });
    const large = { ...simpleRecord(1, 'a'), after: { big: { S: 'x'.repeat(3_000) } } };
    const { failed } = await write(large, simpleRecord(2, 'b'), simpleRecord(3, 'a'));
    expect(failed.map(({ index, disposition }) => [index, disposition])).to.deep.equal([
      [0, 'reject'],
      [2, 'retry'],
    ]);
    expect(failed[0]?.reason).to.match(/has 3\d\d\d bytes, topic orders takes 2000 \(max.message.bytes\)/);
    expect(kafka.sends.flatMap(({ messages }) => messages)).to.have.length(1);
  });

  it('K9: where the limit may not be read, the broker judges: first the batch, then the record', async () => {
    const { fault, write, kafka } = await setUp({ maxBytes: undefined, partitions: 1 });
    kafka.onSend(() => protocolError('MESSAGE_TOO_LARGE'));
    const whole = await fault(simpleRecord(1, 'a'), simpleRecord(2, 'b'));
    expect([whole?.disposition, whole?.judged]).to.deep.equal(['reject', true]);
    const { failed } = await write(simpleRecord(1, 'a'));
    expect(failed[0]?.disposition).to.equal('reject');
    expect(failed[0]?.reason).to.match(/MESSAGE_TOO_LARGE.*max\.message\.bytes.*\d+ bytes/);
  });

  it('sends a message whose time is refused again with now, and remembers that age', async () => {
    const { kafka, write, fates } = await setUp();
    fates(protocolError('INVALID_TIMESTAMP'));
    expect(await write(simpleRecord(1, 'a', { changedAt: NOW - 86_400_000 }))).to.deep.equal({ failed: [] });
    await write(simpleRecord(2, 'a', { changedAt: NOW - 90_000_000 }));
    await write(simpleRecord(3, 'a', { changedAt: NOW - 1_000 }));
    const times = kafka.sends.map(({ messages }) => Number(messages[0]?.timestamp) - NOW);
    expect(times).to.deep.equal([-86_400_000, 0, 0, -1_000]);
  });

  it('timestamp: now, and everything that is not the live stream, carries the time of sending', async () => {
    const { kafka, write } = await setUp();
    await write({ ...simpleRecord(1, 'a'), source: { ...SOURCE, origin: 'redrive' } });
    const now = await setUp({ options: { timestamp: 'now' } });
    await now.write(simpleRecord(1, 'a'));
    expect([kafka, now.kafka].map(({ sends }) => Number(sends[0]?.messages[0]?.timestamp))).to.deep.equal([NOW, NOW]);
  });

  it('a topic that grew: a batch of the old grouping is sent partition by partition, later records are grouped anew', async () => {
    const { kafka, sink, write } = await setUp({ partitions: 1 });
    const records = Array.from({ length: 20 }, (_, n) => simpleRecord(n, `key-${n}`));
    expect(new Set(records.map(sink.group)).size).to.equal(1);
    kafka.topic('orders', { partitions: 6, maxBytes: 1_048_588 });
    await write(simpleRecord(0, 'notices the growth'));
    expect(new Set(records.map(sink.group)).size).to.be.greaterThan(1);
    const before = kafka.sends.length;
    expect(await write(...records)).to.deep.equal({ failed: [] });
    expect(kafka.sends.length - before).to.equal(new Set(records.map(sink.group)).size);
  });

  it('a topic that was made anew with fewer partitions is read again', async () => {
    const { kafka, sink, fault, write } = await setUp();
    kafka.topic('orders', { partitions: 1, maxBytes: 1_048_588 });
    kafka.onSend(({ partition }) => (partition > 0 ? protocolError('UNKNOWN_TOPIC_OR_PARTITION') : 'written'));
    const [first = '', second = ''] = keysByPartition(sink, 2);
    await fault(simpleRecord(1, first), simpleRecord(2, second));
    expect(await write(simpleRecord(1, first), simpleRecord(2, second))).to.deep.equal({ failed: [] });
    expect(sink.group(simpleRecord(1, first))).to.equal('orders-0');
  });

  it('a topic that two brokers do not know halts the sink until it is back', async () => {
    const { kafka, clock, fault, write } = await setUp();
    kafka.drop('orders');
    const missing = fault(simpleRecord(1, 'a'));
    await clock.advance(200);
    expect([(await missing)?.disposition, (await missing)?.heals]).to.deep.equal(['halt', true]);
    expect((await missing)?.message)
      .to.contain('topic orders does not exist')
      .and.contain('createTopic');
    kafka.topic('orders', { partitions: 2, maxBytes: 1_048_588 });
    expect(await write(simpleRecord(1, 'a'))).to.deep.equal({ failed: [] });
  });

  it('a topic that one broker does not know is there', async () => {
    const { kafka, clock, fault } = await setUp();
    kafka.drop('orders');
    const missing = fault(simpleRecord(1, 'a'));
    await clock.advance(100);
    kafka.topic('orders', { partitions: 2, maxBytes: 1_048_588 });
    await clock.advance(100);
    expect((await missing)?.disposition).to.equal('retry');
  });

  it('a failed login is tried again with a new client, then halts; a success begins the count anew', async () => {
    const { kafka, fault, write } = await setUp();
    const login = () => protocolError('SASL_AUTHENTICATION_FAILED');
    kafka.onConnect(login);
    expect((await fault(simpleRecord(1, 'a')))?.disposition).to.equal('retry');
    kafka.onConnect(() => undefined);
    await write(simpleRecord(1, 'a'));
    kafka.onConnect(login);
    kafka.onSend(login);
    const dispositions = [];
    for (let i = 0; i < 3; i += 1) dispositions.push((await fault(simpleRecord(2, 'a')))?.disposition);
    expect(dispositions).to.deep.equal(['retry', 'retry', 'halt']);
  });
});
