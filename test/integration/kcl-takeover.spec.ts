/**
 * `tidemark run` in mode kcl-takeover, as a process on a real DynamoDB, over a lease table in the shape that the Kinesis Client Library 3.5.1 leaves:
 * it goes on after the checkpoint, gives the row back, and refuses while somebody else works on it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { Item } from '../../src/model/item.ts';
import type { StreamApi } from '../../src/ports/stream-api.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { sourceOf } from '../../src/runners/shard-readers.ts';
import { APP, goldenTables, kclRow } from '../fakes/kcl-world.ts';
import { keptLog, NEVER } from '../fakes/lease-world.ts';
import { startDynamoDb } from '../servers/dynamodb.ts';
import type { Server } from '../servers/server.ts';
import { type Desk, desk, endAll, type Running, start, tidemark } from './cli-desk.ts';

describe('takeover of a lease table, as a process', function () {
  this.timeout(120_000);
  let at: Desk;
  let server: Server;
  let clients: AwsClients;
  let table: TableApi;
  let streams: StreamApi;
  let streamArn: string;
  let shardId: string;
  let left: Item;
  let file: string;
  let written = 0;

  before(async () => {
    at = desk('({ after }) => after.n.N');
    server = await startDynamoDb();
    clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
    table = clients.table(place());
    streams = clients.streams(place());
    await makeTables();
    await write(20);
    left = kclRow('3.5.1', shardId, { checkpoint: { S: (await sequenceNumbers())[9] ?? '' } });
    await put(left);
    file = at.file('takeover.json', JSON.stringify(settings()));
  });

  after(async () => {
    await endAll();
    await clients?.close();
    await server?.stop();
    at.remove();
  });

  const place = () => ({ region: 'us-east-1', endpoint: server.endpoint, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });

  function settings(more: { leaseTable?: string } = {}) {
    const sink = (name: string) => ({ name, type: 'written-down', into: join(at.folder, name) });
    return {
      name: 'shop',
      state: { ...place(), leaseTable: APP, ...more },
      leases: { mode: 'kcl-takeover', durationSeconds: 3, renewSeconds: 0.9 },
      admin: { port: 0 },
      limits: { drainSeconds: 5 },
      pipelines: [{ name: 'orders', source: { ...place(), table: 'orders' }, sinks: [sink('eu'), sink('us')] }],
    };
  }

  async function makeTables(): Promise<void> {
    const make = (TableName: string, AttributeName: string, StreamSpecification?: { StreamEnabled: true; StreamViewType: string }) =>
      table.call(
        'CreateTable',
        {
          TableName,
          KeySchema: [{ AttributeName, KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName, AttributeType: 'S' }],
          BillingMode: 'PAY_PER_REQUEST',
          ...(StreamSpecification && { StreamSpecification }),
        },
        NEVER,
      );
    await make('orders', 'pk', { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' });
    const golden = goldenTables('kcl-3.5.1 after a graceful stop (1 worker, 1 shard)').get('');
    await make(APP, golden?.keySchema[0]?.AttributeName ?? '');
    for (const item of golden?.items ?? []) if (item['leaseCounter'] === undefined) await put({ ...item, ...stale(item) });
    streamArn = (await table.call('DescribeTable', { TableName: 'orders' }, NEVER)).Table.LatestStreamArn ?? '';
    shardId = (await streams.describe(streamArn, NEVER)).shards[0]?.shardId ?? '';
  }

  /** The fixture's workers reported at its own time; these have been silent for long. */
  const stale = (item: Item): Item => (item['lut'] === undefined ? {} : { lut: { N: String(Math.floor(Date.now() / 1000) - 3_600) } });
  const put = (Item: Item) => table.call('PutItem', { TableName: APP, Item }, NEVER);

  async function rows(): Promise<readonly Item[]> {
    return (await table.call('Scan', { TableName: APP, ConsistentRead: true }, NEVER)).Items;
  }

  async function row(): Promise<Item> {
    return (await table.call('GetItem', { TableName: APP, Key: { leaseKey: { S: shardId } }, ConsistentRead: true }, NEVER)).Item ?? {};
  }

  async function write(count: number): Promise<void> {
    for (const end = written + count; written < end; written++) {
      await table.call('PutItem', { TableName: 'orders', Item: { pk: { S: `k${written % 7}` }, n: { N: String(written) } } }, NEVER);
    }
  }

  async function sequenceNumbers(): Promise<readonly string[]> {
    const source = sourceOf(await streams.describe(streamArn, NEVER), shardId);
    const place = await streams.iterator(source, { type: 'TRIM_HORIZON' }, NEVER);
    const page = place.is === 'iterator' ? await streams.read(place.iterator, source, NEVER) : undefined;
    return page?.is === 'page' ? page.records.map(({ token }) => token) : [];
  }

  const seen = (sink: string): readonly number[] => {
    const path = join(at.folder, sink);
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').map(Number) : [];
  };
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

  async function until(holds: () => boolean, what: string): Promise<void> {
    const from = performance.now();
    while (!holds()) {
      if (performance.now() - from > 40_000) throw new Error(`after 40 s: ${what}`);
      await systemClock.sleep(50, NEVER);
    }
  }

  async function stopped(worker: Running): Promise<void> {
    worker.process.kill('SIGTERM');
    expect(await worker.ended).to.have.property('code', '0');
  }

  it('validate knows the mode, and wants the table named', async () => {
    expect(await tidemark(['validate', '-c', file])).to.have.property('code', '0');
    const { state: _, ...rest } = settings();
    const nameless = at.file('nameless.json', JSON.stringify(rest));
    const { code, stdout, stderr } = await tidemark(['validate', '-c', nameless]);
    expect([code, stdout + stderr]).to.satisfy(
      ([one, text]: string[]) =>
        one === '78' && /leases\.mode: kcl-takeover needs state\.leaseTable: the lease table of the Java/.test(text ?? ''),
    );
  });

  it('refuse-3x-live-fleet: 75 while counters move, and nothing is written to the table', async () => {
    const before = await rows();
    const worker = start(['run', '-c', file]);
    await worker.until(/looking whether an application still works/);
    await put({ ...left, leaseCounter: { N: '833' } });
    const { code, stderr } = await worker.ended;
    expect(code).to.equal('75');
    expect(stderr).to.match(
      /^an application of the Kinesis Client Library still works on lease table java-app: worker w1 renews its lease of \S+; stop all/m,
    );
    await put(left);
    expect(await rows()).to.have.deep.members(before);
    expect(seen('eu')).to.deep.equal([]);
  });

  it('kcl3-table-takeover, give-back-to-java: goes on after the checkpoint; what it leaves is what it found, further on', async () => {
    const others = (await rows()).filter(item => item['leaseCounter'] === undefined);
    const worker = start(['run', '-c', file]);
    await worker.until(/the lease table is taken over/);
    await write(10);
    await until(() => seen('eu').length >= 20 && seen('us').length >= 20, 'the records after the checkpoint have come');
    await stopped(worker);
    for (const sink of ['eu', 'us'])
      expect(
        [...seen(sink)].sort((a, b) => a - b),
        sink,
      ).to.deep.equal(range(10, 30));
    const checkpoint = (await sequenceNumbers()).at(-1) ?? '';
    const { leaseCounter: _, leaseOwner: __, ...found } = left;
    const back = await row();
    expect(back).to.deep.include({ ...found, checkpoint: { S: checkpoint }, streamArn: { S: streamArn } });
    expect(back).not.to.have.property('leaseOwner');
    expect(Number(back['leaseCounter'] && 'N' in back['leaseCounter'] ? back['leaseCounter'].N : 0)).to.be.above(832);
    expect((await rows()).filter(item => item['leaseCounter'] === undefined)).to.have.deep.members(others);
  });

  it('a second start goes on at once, from its own places', async () => {
    await write(5);
    const from = performance.now();
    const worker = start(['run', '-c', file]);
    await until(() => seen('eu').length >= 25 && seen('us').length >= 25, 'the new records have come');
    expect(performance.now() - from).to.be.below(9_000);
    await stopped(worker);
    expect([...seen('us')].sort((a, b) => a - b)).to.deep.equal(range(10, 35));
  });

  it("wrong-stream-arn: 78, and the other stream's row stays as it is", async () => {
    const other = { ...(await row()), streamArn: { S: `${streamArn}-of-another` } };
    await put(other);
    const { code, stderr } = await tidemark(['run', '-c', file]);
    expect(code).to.equal('78');
    expect(stderr).to.include(`lease table ${APP} is of ${streamArn}-of-another, but the source is ${streamArn}`);
    expect(await row()).to.deep.equal(other);
  });

  it('a table that is not there: 78, and none is made', async () => {
    const { code, stderr } = await tidemark(['run', '-c', at.file('typo.json', JSON.stringify(settings({ leaseTable: 'jawa-app' })))]);
    expect(code).to.equal('78');
    expect(stderr).to.match(/^table jawa-app is not there; in mode kcl-takeover state\.leaseTable names the lease table/m);
  });
});
