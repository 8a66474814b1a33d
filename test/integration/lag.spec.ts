/**
 * Lag per sink against a stream that is spoken over HTTP and gives true seconds (a local server cuts times to the minute): idle, while a target hangs,
 * catching up, paused, halted, and after a restart with all sinks paused. In real time, so that no clock of ours is held against itself.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import { SinkFault } from '../../src/connector.ts';
import type { SinkStatus } from '../../src/model/status.ts';
import { type Daemon, daemon } from '../../src/runners/daemon.ts';
import { type AwsStub, type StubAnswer, type StubRequest, startAwsStub } from '../fakes/aws-stub.ts';
import { SOURCE_PLAN } from '../fakes/daemon-world.ts';
import { FakeControlStore } from '../fakes/fake-control-store.ts';
import { FakeLeaseStore } from '../fakes/fake-lease-store.ts';
import { keptLog, TIMING } from '../fakes/lease-world.ts';
import { DELIVERY, hangs, ScriptedTarget, writesAll } from '../fakes/pipeline-world.ts';

const ARN = 'arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-01-01T00:00:00.000';
const SHARD = 'shardId-00000001764072000000-00000001';
const KEYS = [{ AttributeName: 'pk', KeyType: 'HASH' }];

/** A table with a stream of one open shard. */
class StubStream {
  readonly records: object[] = [];

  /** Answers when it was made, as the stream says it. */
  write(count: number): number {
    const second = Math.floor(Date.now() / 1000);
    for (let i = 0; i < count; i += 1) {
      const n = this.records.length + 1;
      const keys = { pk: { S: `k${n}` } };
      this.records.push({
        eventID: `event-${n}`,
        eventName: 'INSERT',
        eventVersion: '1.1',
        eventSource: 'aws:dynamodb',
        awsRegion: 'us-east-1',
        dynamodb: {
          ApproximateCreationDateTime: second,
          Keys: keys,
          NewImage: keys,
          SequenceNumber: String(n).padStart(21, '0'),
          SizeBytes: 10,
          StreamViewType: 'NEW_AND_OLD_IMAGES',
        },
      });
    }
    return second * 1000;
  }

  readonly answer = ({ operation, json }: StubRequest): StubAnswer => {
    if (operation === 'DescribeTable') return { json: { Table: TABLE } };
    if (operation === 'DescribeStream') return { json: { StreamDescription: STREAM } };
    if (operation === 'GetShardIterator') {
      const after = json['ShardIteratorType'] === 'AFTER_SEQUENCE_NUMBER' ? Number(json['SequenceNumber']) : 0;
      return { json: { ShardIterator: String(after) } };
    }
    const from = Number(json['ShardIterator']);
    return {
      json: { Records: this.records.slice(from, from + 1000), NextShardIterator: String(Math.min(from + 1000, this.records.length)) },
    };
  };
}

const TABLE = {
  TableName: 'orders',
  TableArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/orders',
  TableId: 'table-id',
  TableStatus: 'ACTIVE',
  KeySchema: KEYS,
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  LatestStreamArn: ARN,
  StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
};

const STREAM = {
  StreamArn: ARN,
  StreamStatus: 'ENABLED',
  StreamViewType: 'NEW_AND_OLD_IMAGES',
  KeySchema: KEYS,
  Shards: [{ ShardId: SHARD, SequenceNumberRange: { StartingSequenceNumber: '1'.padStart(21, '0') } }],
};

describe('lag, by true seconds over HTTP', function () {
  this.timeout(60_000);
  let stream: StubStream;
  let stub: AwsStub;
  let clients: AwsClients;
  let targets: ReadonlyMap<string, ScriptedTarget>;
  let running: { work: Daemon; end(): Promise<void> } | undefined;
  const stores = () => ({
    leases: new FakeLeaseStore({ fate: () => 'pass', clock: systemClock }),
    control: new FakeControlStore({ fate: () => 'pass', clock: systemClock }),
  });
  let state: ReturnType<typeof stores>;

  beforeEach(async () => {
    stream = new StubStream();
    stub = await startAwsStub(stream.answer);
    clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
    targets = new Map(['a', 'b'].map(name => [name, new ScriptedTarget({ batch: { records: 10, bytes: 1_000_000, waitMs: 0 } })]));
    state = stores();
  });

  afterEach(async () => {
    await running?.end();
    running = undefined;
    await clients.close();
    await stub.stop();
  });

  function start(): Daemon {
    const stop = new AbortController();
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const at = { endpoint: stub.endpoint, region: 'us-east-1', credentials };
    const work = daemon(
      {
        name: 'shop',
        worker: `worker-${systemRandom.uuid()}`,
        leases: TIMING,
        limits: { memoryBytes: 64 * 1024 * 1024, drainMs: 1_000 },
        pipelines: [
          {
            name: 'p',
            source: SOURCE_PLAN,
            sinks: Array.from(targets, ([name, target]) => {
              const connector = target.connector(systemClock);
              return { name, type: 'scripted', enabled: true, options: {}, delivery: DELIVERY, connector };
            }),
          },
        ],
      },
      {
        clock: systemClock,
        random: systemRandom,
        log: keptLog(),
        observer: {},
        ...state,
        source: () => ({ tables: clients.table(at), streams: clients.streams(at) }),
        table: () => clients.table(at),
        kinesis: () => clients.kinesis(at),
      },
    );
    const ended = work.run(stop.signal);
    running = {
      work,
      end: async () => {
        stop.abort();
        await ended;
      },
    };
    return work;
  }

  async function restart(): Promise<Daemon> {
    await running?.end();
    return start();
  }

  function sink(work: Daemon, name: string): SinkStatus {
    const found = work.status().pipelines[0]?.sinks.find(one => one.name === name);
    if (found === undefined) throw new Error(`no sink ${name}`);
    return found;
  }

  const target = (name: string): ScriptedTarget => targets.get(name) ?? new ScriptedTarget();

  async function until(holds: () => boolean): Promise<void> {
    for (const deadline = Date.now() + 15_000; !holds(); ) {
      if (Date.now() > deadline) throw new Error('it did not come to hold');
      await sleep(20);
    }
  }

  /** By the stream's own time of the oldest record that is outstanding. */
  function expectLag(work: Daemon, name: string, madeAt: number): void {
    const { lagSeconds, retentionLeftSeconds } = sink(work, name);
    const truth = (Date.now() - madeAt) / 1000;
    expect(lagSeconds, `lag of ${name}`).to.be.closeTo(truth, 0.1);
    expect(retentionLeftSeconds).to.be.closeTo(86_400 - truth, 0.1);
  }

  const expectNone = (work: Daemon, name: string) =>
    expect([sink(work, name).lagSeconds, sink(work, name).retentionLeftSeconds]).to.eql([0, null]);

  it('is 0 while idle, exact while a target hangs, down to 0 while it catches up', async () => {
    const work = start();
    stream.write(5);
    await until(() => target('a').delivered.length === 5 && target('b').delivered.length === 5);
    await sleep(1_500);
    expectNone(work, 'a');
    target('a').behaviour = hangs;
    const madeAt = stream.write(50);
    await until(() => (sink(work, 'a').open ?? 0) > 0);
    for (let n = 0; n < 3; n += 1) {
      await sleep(700);
      expectLag(work, 'a', madeAt);
      expectNone(work, 'b');
    }
    target('a').behaviour = writesAll(100);
    await until(() => sink(work, 'a').lagSeconds === 0);
    expect(target('a').delivered).to.have.length(55);
  });

  it('counts while paused, from what came meanwhile; all paused and started again with everything it is 0, not the age of the last record', async () => {
    let work = start();
    stream.write(5);
    await until(() => target('a').delivered.length === 5 && target('b').delivered.length === 5);
    for (const name of ['a', 'b']) await work.pause('p', name);
    await sleep(1_500);
    for (const name of ['a', 'b']) expectNone(work, name);
    work = await restart();
    await until(() => sink(work, 'a').state === 'paused' && sink(work, 'a').lagSeconds === 0);
    await sleep(1_500);
    for (const name of ['a', 'b']) expectNone(work, name);
    const madeAt = stream.write(3);
    await sleep(1_200);
    stream.write(3);
    await sleep(1_200);
    for (const name of ['a', 'b']) expectLag(work, name, madeAt);
    work = await restart();
    await until(() => sink(work, 'a').state === 'paused');
    await sleep(700);
    for (const name of ['a', 'b']) expectLag(work, name, madeAt);
    await work.resume('p', 'a');
    await until(() => target('a').delivered.length === 11);
    expectNone(work, 'a');
    expectLag(work, 'b', madeAt);
  });

  it('counts while halted, also of a sink that has never been open', async () => {
    target('b').refuseOpen = new SinkFault('halt', 'no such table', { heals: true });
    const madeAt = stream.write(5);
    const work = start();
    await until(() => target('a').delivered.length === 5);
    await sleep(1_200);
    expect(sink(work, 'b')).to.include({ state: 'halted', reason: 'no such table' });
    expectLag(work, 'b', madeAt);
    expectNone(work, 'a');
    target('b').refuseOpen = undefined;
    await work.resume('p', 'b');
    await until(() => target('b').delivered.length === 5);
    expectNone(work, 'b');
  });
});
