import { expect } from 'chai';
import { kclTable } from '../../../src/adapters/kcl-table.ts';
import { kclNames, streamOfName } from '../../../src/adapters/lease-names.ts';
import { leaseStore } from '../../../src/adapters/lease-store.ts';
import { type LeaseKey, leaseKey } from '../../../src/ports/lease-store.ts';
import { signsOfLife, watchMs } from '../../../src/shards/kcl-fleet.ts';
import { APP, GOLDEN, goldenTables, KclWorld, kclRow } from '../../fakes/kcl-world.ts';
import { NEVER } from '../../fakes/lease-world.ts';

const ARN = 'arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-01T10:20:30.000';
const SHARD = 'shardId-00000001795449817002-198e6ac5';
const NAMED = `123456789012:us-east-1$123456789012$orders$2026-01-01T10_20_30.000:1:${SHARD}`;

async function lookAt(situation: string) {
  const at = new KclWorld();
  for (const [beside, { keySchema, items }] of goldenTables(situation)) await at.left(items, beside, keySchema[0]?.AttributeName);
  return { at, look: await kclTable({ table: at.tables, name: APP, clock: at.world.clock }).look(NEVER) };
}

describe("a Kinesis Client Library application's tables", () => {
  it('are read whole, whether in three tables (3.1.1) or in one (3.5.1)', async () => {
    for (const version of ['3.1.1', '3.5.1']) {
      const { look } = await lookAt(`kcl-${version} after a graceful stop (1 worker, 1 shard)`);
      expect(look.leases, version).to.deep.equal([
        {
          names: 'shard',
          key: SHARD,
          shardId: SHARD,
          owner: 'w1',
          counter: version === '3.1.1' ? 298 : 832,
          checkpoint: '000000000000000100000',
          parents: [],
          positions: new Map(),
          isOurs: false,
        },
      ]);
      expect(look.workers).to.deep.equal([{ worker: 'w1', reportedAt: (version === '3.1.1' ? 1795454820 : 1795454648) * 1000 }]);
    }
    const { look } = await lookAt('kcl-3.5.1 running (2 workers, 4 shards)');
    expect([look.leases.length, look.leader?.worker]).to.deep.equal([4, 'wA']);
  });

  it('tell that the fleet of the fixture was alive, and who of it', async () => {
    const situations = Object.keys(GOLDEN).filter(name => name.includes('kcl-two') || name.includes('running') || name.includes('kill -9'));
    expect(situations).to.have.length(2);
    const [running, later] = await Promise.all(situations.map(async name => (await lookAt(name)).look));
    if (running === undefined || later === undefined) throw new Error('no such situation');
    const signs = signsOfLife(running, later);
    expect(signs).to.have.length(7);
    expect(signs).to.include.members([
      'worker wA renews its lease of shardId-00000001700000000001-0000000a',
      'worker wA reports its load',
      'worker wA leads the others',
    ]);
    expect(signsOfLife(later, later)).to.deep.equal([]);
  });

  it('are watched for as long as a living worker may be silent', async () => {
    const { look } = await lookAt('kcl-3.5.1 after a graceful stop (1 worker, 1 shard)');
    const stoppedAt = 1795454648000;
    const watched = (ms: number, leaseMs = 3_000) => watchMs(look, { now: stoppedAt + ms, leaseMs });
    expect([watched(0), watched(45_000), watched(55_000), watched(3_600_000)]).to.deep.equal([60_000, 15_000, 10_000, 10_000]);
    expect(watched(3_600_000, 30_000)).to.equal(30_000);
    // A clock ahead of ours does not make us wait for longer.
    expect(watched(-86_400_000)).to.equal(60_000);
    const ours = { leases: look.leases.map(lease => ({ ...lease, isOurs: true })), workers: look.workers };
    expect(watchMs(ours, { now: stoppedAt + 3_600_000, leaseMs: 3_000 })).to.equal(0);
  });

  it('name their rows by the shard, or by stream and shard', () => {
    expect(streamOfName(SHARD)).to.deep.equal({ names: 'shard' });
    expect(streamOfName(NAMED)).to.deep.equal({ names: 'stream', streamArn: ARN });
    expect(streamOfName(NAMED.replaceAll('us-east-1', 'cn-north-1')).streamArn).to.match(/^arn:aws-cn:dynamodb:cn-north-1:/);
    expect(streamOfName(`123456789012:clicks:1700000000:shardId-000000000001`)).to.deep.equal({ names: 'other' });
    expect(streamOfName(leaseKey(ARN, SHARD))).to.deep.equal({ names: 'native', streamArn: ARN });
  });

  it('keep their names under our store, which writes down stream and counter with each write', async () => {
    for (const [name, several] of [
      [SHARD, false],
      [NAMED, true],
    ] as const) {
      const at = new KclWorld();
      await at.left([]);
      const store = leaseStore({ table: at.tables, name: APP, create: false, clock: at.world.clock }, kclNames({ several }));
      const key: LeaseKey = leaseKey(ARN, SHARD);
      await store.create({ key, parents: [], checkpoint: 'TRIM_HORIZON' }, NEVER);
      const row = await store.read(key, NEVER);
      if (row === undefined) throw new Error('no row');
      await store.write(row, { owner: 'w' }, NEVER);
      expect(at.row(name)).to.deep.include({ streamArn: { S: ARN }, leaseCounter: { N: '1' }, tidemarkCounter: { N: '1' } });
      expect('streamName' in at.row(name)).to.equal(several);
      expect((await store.scan(NEVER)).map(one => one.key)).to.deep.equal([key]);
      await at.javaWrites(name);
      const [lease] = (await kclTable({ table: at.tables, name: APP, clock: at.world.clock }).look(NEVER)).leases;
      expect(lease).to.include({ isOurs: false, streamArn: ARN });
    }
  });

  it('a row that somebody made after the takeover is of the stream that all others are of', async () => {
    const at = new KclWorld();
    const names = kclNames({ several: false });
    const store = leaseStore({ table: at.tables, name: APP, create: false, clock: at.world.clock }, names);
    await at.left([kclRow('3.1.1', SHARD)]);
    expect(await store.scan(NEVER)).to.deep.equal([]);
    await at.put({ ...kclRow('3.1.1', 'shardId-2'), streamArn: { S: ARN } });
    await store.scan(NEVER);
    expect((await store.scan(NEVER)).map(row => row.key).sort()).to.deep.equal([leaseKey(ARN, SHARD), leaseKey(ARN, 'shardId-2')].sort());
  });
});
