/** The state stores against a real DynamoDB: the suite that the fakes pass too, and what KCL must find in the rows. */
import { expect } from 'chai';
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { controlStore } from '../../src/adapters/control-store.ts';
import { leaseStore } from '../../src/adapters/lease-store.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import { leaseKey } from '../../src/ports/lease-store.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { describeControlStore } from '../contract/control-store-suite.ts';
import { describeLeaseStore } from '../contract/lease-store-suite.ts';
import { ARN, keptLog, NEVER } from '../fakes/lease-world.ts';
import { startDynamoDb } from '../servers/dynamodb.ts';
import type { Server } from '../servers/server.ts';

describe('state stores in DynamoDB', function () {
  this.timeout(120_000);
  let server: Server;
  let clients: AwsClients;
  let table: TableApi;

  before(async () => {
    server = await startDynamoDb();
    clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
    const credentials = { accessKeyId: 'state', secretAccessKey: 'state' };
    table = clients.table({ endpoint: server.endpoint, region: 'us-east-1', credentials });
  });

  after(async () => {
    await clients.close();
    await server.stop();
  });

  const state = (name: string, create = true) => ({ table, name, create, clock: systemClock });

  describeLeaseStore('DynamoDB', async () => leaseStore(state('suite-leases')));
  describeControlStore('DynamoDB', async () => controlStore(state('suite-control')));

  it('says what to do about a table that is missing', async () => {
    const error = await leaseStore(state('nowhere', false))
      .prepare(NEVER)
      .catch((thrown: unknown) => thrown);
    expect(error).to.have.property('message', 'state table nowhere is missing; make it, or set state.createTables: true');
  });

  it("writes rows with KCL's attributes and types, nothing empty, and skips what is not a lease", async () => {
    const store = leaseStore(state('kcl-leases'));
    await store.prepare(NEVER);
    const key = leaseKey(ARN, 'shardId-00000001795449817002-198e6ac5');
    await store.create({ key, parents: ['shardId-00000001795449810000-aaaaaaaa'], checkpoint: 'TRIM_HORIZON' }, NEVER);
    const fresh = await store.read(key, NEVER);
    const taken = fresh && (await store.write(fresh, { owner: 'w1', nonce: 'n' }, NEVER));
    if (taken?.is !== 'written') throw new Error('not taken');
    await store.write(taken.row, { checkpoint: '000000000000000100000', owner: null }, NEVER);
    const { Item } = await table.call('GetItem', { TableName: 'kcl-leases', Key: { leaseKey: { S: key } } }, NEVER);
    expect(Item).to.deep.equal({
      leaseKey: { S: key },
      leaseCounter: { N: '2' },
      checkpoint: { S: '000000000000000100000' },
      checkpointSubSequenceNumber: { N: '0' },
      ownerSwitchesSinceCheckpoint: { N: '0' },
      parentShardId: { SS: ['shardId-00000001795449810000-aaaaaaaa'] },
      entityType: { S: 'LEASE' },
      positions: { M: {} },
      acquireNonce: { S: 'n' },
      lastOwner: { S: 'w1' },
    });
    const metrics = { leaseKey: { S: 'w1' }, entityType: { S: 'WORKER_METRIC_STATS' }, lut: { N: '1795454820' } };
    await table.call('PutItem', { TableName: 'kcl-leases', Item: metrics }, NEVER);
    expect((await store.scan(NEVER)).map(row => row.key)).to.deep.equal([key]);
  });

  it("keeps what it does not know, and drops a prepared checkpoint of KCL's when it writes a newer one", async () => {
    const store = leaseStore(state('kcl-leases'));
    const key = 'shardId-00000001795449817002-198e6ac5';
    const throughput = { N: '7341.315471' };
    await table.call(
      'PutItem',
      {
        TableName: 'kcl-leases',
        Item: {
          leaseKey: { S: key },
          leaseCounter: { N: '298' },
          checkpoint: { S: '000000000000000100000' },
          throughputKBps: throughput,
          pendingCheckpoint: { S: '5' },
          pendingCheckpointState: { B: 'AA==' },
        },
      },
      NEVER,
    );
    const row = await store.read(key, NEVER);
    expect(row).to.deep.include({ counter: 298, checkpoint: '000000000000000100000', parents: [], children: [] });
    if (row) await store.write(row, { checkpoint: '000000000000000100001' }, NEVER);
    const { Item } = await table.call('GetItem', { TableName: 'kcl-leases', Key: { leaseKey: { S: key } } }, NEVER);
    expect(Item).to.deep.include({ throughputKBps: throughput, leaseCounter: { N: '299' } });
    expect(Item).not.to.have.any.keys('pendingCheckpoint', 'pendingCheckpointState');
  });

  it('ten-thousand-rows: scans page by page', async () => {
    const store = leaseStore(state('many-leases'));
    await store.prepare(NEVER);
    const parents = Array.from({ length: 40 }, (_, n) => `shardId-${String(n).padStart(20, '0')}-abcdefgh`);
    const make = (n: number) => store.create({ key: leaseKey(ARN, `shardId-${n}`), parents, checkpoint: 'TRIM_HORIZON' }, NEVER);
    for (let n = 0; n < 1_000; n += 50) await Promise.all(Array.from({ length: 50 }, (_, at) => make(n + at)));
    expect(await store.scan(NEVER)).to.have.length(1_000);
  });

  it('expires rubbish of the control table by time to live', async () => {
    await controlStore(state('ttl-control')).prepare(NEVER);
    const ttl = await table.call('DescribeTimeToLive', { TableName: 'ttl-control' }, NEVER);
    expect(ttl.TimeToLiveDescription).to.include({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' });
  });
});
