import { expect } from 'chai';
import { leaseKey, partsOfLeaseKey } from '../../../src/ports/lease-store.ts';
import { DaemonWorld, missing, type Worker } from '../../fakes/daemon-world.ts';
import { outOfOrder, type ScriptedTarget } from '../../fakes/pipeline-world.ts';

const HOUR = 3_600_000;

/** Rows of ended shards: how long they stay, and what happens when somebody else deletes them first. */
describe('rows of ended shards', () => {
  let world: DaemonWorld;
  let a: ScriptedTarget;

  beforeEach(() => {
    world = new DaemonWorld();
    a = world.target('a');
  });

  afterEach(async () => {
    await world.stopAll();
    for (const { end } of world.workers) if (end?.error !== undefined) throw end.error;
    expect([outOfOrder(a.delivered), world.control.gapRows.size]).to.deep.equal([undefined, 0]);
  });

  const open = (): string => world.now.open[0]?.id ?? '';
  const row = (shardId: string) => [...world.leases.rows.values()].find(({ key }) => partsOfLeaseKey(key).shardId === shardId);

  async function stopped(worker: Worker): Promise<void> {
    worker.stop();
    await world.clock.runUntil(worker.ended);
  }

  /** Reads all of a shard with 20 records and begins its child. */
  async function rolled(): Promise<{ worker: Worker; parent: string; child: string; tokens: string[] }> {
    const worker = world.start();
    const tokens = world.write(20);
    await world.clock.advance(2_000);
    const parent = open();
    const child = world.now.roll(parent).id;
    await world.clock.advance(3_000);
    expect(row(parent)?.checkpoint).to.equal('SHARD_END');
    return { worker, parent, child, tokens };
  }

  it('gc-keeps-parent-until-child-progress: nothing is read again, whether the parent is listed or not, before its child has begun or after', async () => {
    const { worker, parent, child, tokens } = await rolled();
    await stopped(worker);
    await world.clock.advance(27 * HOUR);
    const next = world.start();
    await world.clock.advance(200_000);
    expect([row(parent)?.checkpoint, row(child)?.checkpoint]).to.deep.equal(['SHARD_END', 'TRIM_HORIZON']);
    world.streams.rules.staysListed = true;
    await world.clock.advance(200_000);
    world.streams.rules.staysListed = false;
    tokens.push(...world.write(5));
    await world.clock.advance(200_000);
    expect([row(parent), missing(a.delivered, tokens)]).to.deep.equal([undefined, []]);
    world.streams.rules.staysListed = true;
    await world.clock.advance(200_000);
    await stopped(next);
    world.start();
    await world.clock.advance(200_000);
    expect([row(parent), a.delivered.length]).to.deep.equal([undefined, 25]);
  });

  it('gc-tolerates-foreign-delete: the parent’s row is gone early though the shard is listed, and its child goes on; nothing is read again', async () => {
    const { worker, parent, child, tokens } = await rolled();
    tokens.push(...world.write(5));
    await world.clock.advance(3_000);
    world.leases.rows.delete(leaseKey(world.now.arn, parent));
    tokens.push(...world.write(5));
    await world.clock.advance(200_000);
    expect([row(parent), row(child)?.owner, missing(a.delivered, tokens)]).to.deep.equal([undefined, 'worker-1', []]);
    const grandchild = world.now.roll(child).id;
    tokens.push(...world.write(5));
    await world.clock.advance(3_000);
    world.leases.rows.delete(leaseKey(world.now.arn, child));
    await stopped(worker);
    world.start();
    tokens.push(...world.write(5));
    await world.clock.advance(200_000);
    expect([world.leases.rows.size, row(grandchild)?.owner, a.delivered.length]).to.deep.equal([1, 'worker-2', tokens.length]);
  });

  it('open-parent-with-child: while the listing shows the parent open beside its child, the child waits until the parent has been read to its end', async () => {
    const parent = open();
    const tokens = world.write(200);
    const child = world.now.roll(parent).id;
    tokens.push(...world.write(20));
    world.streams.rules.pageRecords = 10;
    const { streams } = world;
    const describe = streams.describe.bind(streams);
    streams.describe = async (...args) => {
      const description = await describe(...args);
      const shards = description.shards.map(({ endingToken, ...shard }) =>
        shard.shardId === parent ? shard : { ...shard, ...(endingToken && { endingToken }) },
      );
      return { ...description, shards };
    };
    world.start();
    await world.clock.advance(3_000);
    expect([a.delivered.length > 50, a.delivered.length < 200, row(child)?.owner]).to.deep.equal([true, true, undefined]);
    await world.clock.advance(10_000);
    expect([missing(a.delivered, tokens), row(parent)?.checkpoint, row(child)?.owner]).to.deep.equal([[], 'SHARD_END', 'worker-1']);
  });
});
