/** The daemon on a real DynamoDB with its stream and state tables, into a target in memory: that ports and adapters mean the same. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { controlStore } from '../../src/adapters/control-store.ts';
import { leaseStore } from '../../src/adapters/lease-store.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { LeaseStore } from '../../src/ports/lease-store.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { type Daemon, daemon } from '../../src/runners/daemon.ts';
import { SOURCE_PLAN } from '../fakes/daemon-world.ts';
import { keptLog, NEVER } from '../fakes/lease-world.ts';
import { DELIVERY, outOfOrder, ScriptedTarget } from '../fakes/pipeline-world.ts';
import { startDynamoDb } from '../servers/dynamodb.ts';
import type { Server } from '../servers/server.ts';

interface Running {
  readonly work: Daemon;
  stop(): Promise<void>;
}

describe('daemon on DynamoDB Local', function () {
  this.timeout(120_000);
  let server: Server;
  let clients: AwsClients;
  let source: TableApi;
  let leases: LeaseStore;
  let target: ScriptedTarget;
  let workers = 0;
  let written = 0;

  before(async () => {
    server = await startDynamoDb();
    clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
    source = clients.table(options('source'));
    await source.call(
      'CreateTable',
      {
        TableName: 'orders',
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        BillingMode: 'PAY_PER_REQUEST',
      },
      NEVER,
    );
    leases = leaseStore(state('shop-leases'));
    target = new ScriptedTarget();
  });

  after(async () => {
    await clients.close();
    await server.stop();
  });

  const options = (key: string) => ({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: key, secretAccessKey: key },
  });
  const state = (name: string) => ({ table: clients.table(options('state')), name, create: true, clock: systemClock });

  async function write(count: number): Promise<void> {
    for (const end = written + count; written < end; written++) {
      await source.call('PutItem', { TableName: 'orders', Item: { pk: { S: `k${written % 7}` }, n: { N: String(written) } } }, NEVER);
    }
  }

  function start(): Running {
    const stopped = new AbortController();
    workers += 1;
    const sink = { name: 'a', type: 'scripted', enabled: true, options: {}, delivery: DELIVERY, connector: target.connector(systemClock) };
    const work = daemon(
      {
        name: 'shop',
        worker: `worker-${workers}`,
        leases: { durationMs: 3_000, renewMs: 900 },
        limits: { memoryBytes: 64 * 1024 * 1024, drainMs: 5_000, weight: 1 },
        pipelines: [{ name: 'p', source: { ...SOURCE_PLAN, enableStream: true }, sinks: [sink] }],
      },
      {
        clock: systemClock,
        random: systemRandom,
        log: keptLog(),
        observer: {},
        leases,
        control: controlStore(state('shop-control')),
        source: () => ({ tables: source, streams: clients.streams(options('source')) }),
        table: () => source,
        kinesis: () => clients.kinesis(options('source')),
      },
    );
    const run = work.run(stopped.signal);
    return {
      work,
      stop: () => {
        stopped.abort();
        return run;
      },
    };
  }

  async function delivered(count: number): Promise<number> {
    const from = performance.now();
    while (target.delivered.length < count) {
      if (performance.now() - from > 20_000) throw new Error(`${target.delivered.length} of ${count} arrived`);
      await sleep(10);
    }
    return performance.now() - from;
  }

  it('switches the stream on, delivers in order, and gives its lease back', async () => {
    const running = start();
    while (running.work.notReady().length > 0) await sleep(20);
    await write(100);
    await delivered(100);
    expect(outOfOrder(target.delivered)).to.equal(undefined);
    expect(running.work.status().pipelines[0]?.sinks[0]).to.include({ state: 'brisk', written: 100, open: 0, gaps: 0 });
    await running.stop();
    const [row] = await leases.scan(NEVER);
    expect(row?.owner).to.equal(undefined);
    // Batches of different keys arrive in any order.
    const tokens = target.delivered.map(({ token }) => token).sort();
    expect(row?.checkpoint).to.equal(tokens.at(-1));
  });

  it('goes on where it stopped, and has its first record within a second and a half', async () => {
    await write(50);
    const running = start();
    expect(await delivered(101)).to.be.below(1_500);
    await delivered(150);
    await running.stop();
    expect(target.delivered).to.have.length(150);
  });

  it('a pause by another process is seen', async () => {
    const running = start();
    while (running.work.notReady().length > 0) await sleep(20);
    await controlStore(state('shop-control')).ask('p', 'a', true, NEVER);
    await sleep(1_000);
    expect(running.work.status().pipelines[0]?.sinks[0]?.state).to.equal('paused');
    await write(5);
    await running.work.resume('p', 'a');
    await delivered(155);
    await running.stop();
  });
});
