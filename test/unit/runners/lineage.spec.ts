import { expect } from 'chai';
import { partsOfLeaseKey } from '../../../src/ports/lease-store.ts';
import { DaemonWorld, missing, tokensOf } from '../../fakes/daemon-world.ts';
import { outOfOrder, throttles, writesAll } from '../../fakes/pipeline-world.ts';

const HOUR = 3_600_000;

describe('lineage, as the daemon follows it', () => {
  let world: DaemonWorld;

  beforeEach(() => {
    world = new DaemonWorld();
  });

  afterEach(async () => {
    await world.stopAll();
    for (const { end } of world.workers) if (end?.error !== undefined) throw end.error;
  });

  const open = () => world.now.open.map(shard => shard.id);
  const row = (shardId: string) => [...world.leases.rows.values()].find(({ key }) => partsOfLeaseKey(key).shardId === shardId);
  const first = (): string => open()[0] ?? '';

  it('rollover-one-child: the child comes after the end of the parent, which names it', async () => {
    const a = world.target('a');
    world.start();
    const tokens = world.write(20);
    await world.clock.advance(2_000);
    const parent = first();
    const child = world.now.roll(parent).id;
    tokens.push(...world.write(20));
    await world.clock.advance(5_000);
    expect([missing(a.delivered, tokens), outOfOrder(a.delivered), a.delivered.length]).to.deep.equal([[], undefined, 40]);
    expect(row(parent)).to.deep.include({ checkpoint: 'SHARD_END', children: [child] });
    expect(row(parent)?.owner).to.equal(undefined);
    expect(row(child)).to.deep.include({ owner: 'worker-1', parents: [parent] });
  });

  it('one sink is down at the moment the shard rolls: the healthy one gets every record of the child', async () => {
    const [up, down] = [world.target('up'), world.target('down', {}, throttles)];
    const worker = world.start();
    const tokens = world.write(20);
    await world.clock.advance(2_000);
    const parent = first();
    world.now.roll(parent);
    tokens.push(...world.write(200));
    await world.clock.advance(10_000);
    expect([missing(up.delivered, tokens), down.delivered.length]).to.deep.equal([[], 0]);
    expect([worker.sink('up').state, worker.daemon.notReady()]).to.deep.equal(['brisk', []]);
    expect(row(parent)?.checkpoint).to.equal('TRIM_HORIZON');
    down.behaviour = writesAll();
    await world.clock.advance(30_000);
    expect([missing(down.delivered, tokens), outOfOrder(down.delivered), row(parent)?.checkpoint]).to.deep.equal([
      [],
      undefined,
      'SHARD_END',
    ]);
  });

  it('the same with a restart while it is down', async () => {
    const [up, down] = [world.target('up'), world.target('down', {}, throttles)];
    const worker = world.start({ drainMs: 1_000 });
    const tokens = world.write(20);
    await world.clock.advance(2_000);
    world.now.roll(first());
    tokens.push(...world.write(50));
    await world.clock.advance(5_000);
    world.now.roll(first());
    tokens.push(...world.write(50));
    worker.stop();
    await world.clock.runUntil(worker.ended);
    world.start();
    await world.clock.advance(20_000);
    expect(missing(up.delivered, tokens)).to.deep.equal([]);
    down.behaviour = writesAll();
    await world.clock.advance(30_000);
    expect([missing(down.delivered, tokens), outOfOrder(down.delivered), down.delivered.length]).to.deep.equal([[], undefined, 120]);
  });

  it('split-two-children: order of every key holds across splits under load', async () => {
    const a = world.target('a', {}, writesAll(20));
    world.start();
    const tokens: string[] = [];
    for (let round = 0; round < 6; round++) {
      tokens.push(...world.write(100, 17));
      if (round % 2 === 1) for (const shard of open()) world.now.split(shard);
      await world.clock.advance(400);
    }
    await world.clock.advance(20_000);
    expect([open().length, missing(a.delivered, tokens), outOfOrder(a.delivered)]).to.deep.equal([8, [], undefined]);
  });

  it('child-visible-late: the parent stays un-ended until the child is found', async () => {
    const a = world.target('a');
    world.start();
    await world.clock.advance(20_000);
    world.streams.rules.childrenDelayMs = 8_000;
    world.streams.rules.listingDelayMs = 8_000;
    const parent = first();
    world.now.roll(parent);
    const tokens = world.write(20);
    await world.clock.advance(6_000);
    expect([row(parent)?.checkpoint === 'SHARD_END', a.delivered.length]).to.deep.equal([false, 0]);
    await world.clock.advance(20_000);
    expect([row(parent)?.checkpoint, missing(a.delivered, tokens)]).to.deep.equal(['SHARD_END', []]);
  });

  it('child-visible-very-late: an alarm, the lease is kept, and it recovers', async () => {
    const a = world.target('a');
    world.start();
    await world.clock.advance(2_000);
    const parent = first();
    const child = world.now.roll(parent).id;
    const { streams } = world;
    const describe = streams.describe.bind(streams);
    const hiddenUntil = world.clock.elapsed() + 300_000;
    streams.rules.childrenDelayMs = 300_000;
    streams.describe = async (...args) => {
      const description = await describe(...args);
      if (world.clock.elapsed() > hiddenUntil) return description;
      return { ...description, shards: description.shards.filter(({ shardId }) => shardId !== child) };
    };
    const tokens = world.write(20);
    await world.clock.advance(200_000);
    expect(row(parent)?.owner).to.equal('worker-1');
    expect(world.log.lines.filter(line => line.level === 'error' && line.message.includes('no children'))).to.have.length(1);
    await world.clock.advance(200_000);
    expect([row(parent)?.checkpoint, missing(a.delivered, tokens)]).to.deep.equal(['SHARD_END', []]);
  });

  it('child-filter-unsupported: full listings are used', async () => {
    world.streams.rules.childFilter = 'unsupported';
    const a = world.target('a');
    world.start();
    await world.clock.advance(2_000);
    world.now.roll(first());
    const tokens = world.write(20);
    await world.clock.advance(5_000);
    expect(missing(a.delivered, tokens)).to.deep.equal([]);
  });

  it('grandparent-chain-after-downtime: generation by generation', async () => {
    const a = world.target('a');
    const first = world.start();
    const tokens = world.write(20);
    await world.clock.advance(2_000);
    first.stop();
    await world.clock.runUntil(first.ended);
    for (let generation = 0; generation < 5; generation++) {
      tokens.push(...world.write(20));
      for (const shard of open()) world.now.roll(shard);
      await world.clock.advance(4 * HOUR);
    }
    tokens.push(...world.write(20));
    world.start();
    await world.clock.advance(30_000);
    expect([missing(a.delivered, tokens), outOfOrder(a.delivered), a.delivered.length]).to.deep.equal([[], undefined, tokens.length]);
    expect(world.control.gapRows.size).to.equal(0);
  });

  it('parent-trimmed: a first start on an old table waits for nobody, and there is no gap', async () => {
    world.write(20);
    for (let generation = 0; generation < 9; generation++) {
      for (const shard of open()) world.now.roll(shard);
      world.write(5);
      await world.clock.advance(4 * HOUR);
    }
    const a = world.target('a');
    const held = world.write(5);
    const from = world.clock.elapsed();
    world.start();
    await world.clock.runUntil(() => missing(a.delivered, held).length === 0);
    expect(world.clock.elapsed() - from).to.be.below(10_000);
    expect([...world.control.gapRows.values()]).to.deep.equal([]);
  });

  it('parent-row-missing-but-listed: made again, and the child waits', async () => {
    const a = world.target('a', {}, throttles);
    world.start();
    const tokens = world.write(20);
    await world.clock.advance(2_000);
    const parent = first();
    world.now.roll(parent);
    tokens.push(...world.write(20));
    await world.clock.advance(70_000);
    const key = row(parent)?.key ?? '';
    world.leases.rows.delete(key);
    await world.clock.advance(80_000);
    expect(world.leases.rows.has(key)).to.equal(true);
    a.behaviour = writesAll();
    await world.clock.advance(30_000);
    expect([missing(a.delivered, tokens), outOfOrder(a.delivered)]).to.deep.equal([[], undefined]);
  });

  it('more-than-100-shards and describe-throttled: all are leased, with few listings', async () => {
    world = new DaemonWorld({ describesPerSecond: 3 }, { roots: 350 });
    world.target('a');
    const worker = world.start({ source: { pollMs: 10_000 } });
    await world.clock.advance(5_000);
    const shards = () => worker.daemon.status().pipelines[0]?.tables[0]?.shards;
    expect(shards()).to.deep.equal({ open: 350, closed: 0, waiting: 0, owned: 350 });
    for (const shard of open().slice(0, 60)) world.now.roll(shard);
    const before = world.streams.calls.describe;
    await world.clock.advance(90_000);
    expect([shards()?.owned, world.leases.rows.size]).to.deep.equal([350, 410]);
    expect(world.streams.calls.describe - before).to.be.below(100);
  });

  it('crash-between-children-and-shard-end: the successor finishes, the child starts once', async () => {
    const a = world.target('a');
    const worker = world.start();
    const tokens = world.write(20);
    await world.clock.advance(2_000);
    const parent = first();
    const child = world.now.roll(parent).id;
    tokens.push(...world.write(20));
    world.leaseFate = operation => (operation === 'write' ? { delayMs: 50 } : 'pass');
    await world.clock.runUntil(() => row(child) !== undefined);
    expect(row(parent)?.checkpoint).not.to.equal('SHARD_END');
    await world.kill(worker);
    world.start();
    await world.clock.advance(20_000);
    expect([missing(a.delivered, tokens), outOfOrder(a.delivered), row(parent)?.checkpoint]).to.deep.equal([[], undefined, 'SHARD_END']);
    expect(tokensOf(a.delivered).filter(token => tokens.slice(20).includes(token))).to.have.length(20);
  });

  it('relisted-ended-shard and gc: an ended shard is not read again; its row goes when it is not listed any more', async () => {
    world.streams.rules.staysListed = true;
    const a = world.target('a');
    const worker = world.start();
    world.write(20);
    await world.clock.advance(2_000);
    const parent = first();
    world.now.roll(parent);
    world.write(5);
    await world.clock.advance(2_000);
    worker.stop();
    await world.clock.runUntil(worker.ended);
    await world.clock.advance(27 * HOUR);
    // The open child has been idle since.
    world.start();
    await world.clock.advance(200_000);
    expect([a.delivered.length, row(parent)?.checkpoint]).to.deep.equal([25, 'SHARD_END']);
    world.streams.rules.staysListed = false;
    await world.clock.advance(300_000);
    expect([a.delivered.length, row(parent)]).to.deep.equal([25, undefined]);
    world.streams.rules.staysListed = true;
    await world.clock.advance(300_000);
    expect([a.delivered.length, row(parent), world.control.gapRows.size]).to.deep.equal([25, undefined, 0]);
  });
});
