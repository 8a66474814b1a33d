import { expect } from 'chai';
import type { Ms } from '../../../src/model/units.ts';
import { DaemonWorld, missing } from '../../fakes/daemon-world.ts';
import type { Fate } from '../../fakes/fake-faults.ts';
import { LeaseWatch } from '../../fakes/lease-watch.ts';
import { outOfOrder, type ScriptedTarget, writesAll } from '../../fakes/pipeline-world.ts';

/** Writes of lease rows of which nobody knows whether they were applied, that are throttled, late, or meet a row that somebody else has touched. */
describe('writes of lease rows with an unknown outcome', () => {
  let world: DaemonWorld;
  let watch: LeaseWatch;
  let a: ScriptedTarget;
  let tokens: string[];

  beforeEach(() => {
    world = new DaemonWorld();
    watch = new LeaseWatch(world.leases);
    a = world.target('a', {}, writesAll(20));
    tokens = [];
  });

  afterEach(async () => {
    world.leaseFate = () => 'pass';
    await world.stopAll();
    for (const { end } of world.workers) if (end?.error !== undefined) throw end.error;
    expect(world.trespasses).to.deep.equal([]);
  });

  const load = async (ms: Ms) => void tokens.push(...(await world.load(ms, { everyMs: 100, count: 3 })));

  function writesMeet(fate: () => Fate): void {
    world.leaseFate = operation => (operation === 'write' ? fate() : 'pass');
  }

  async function expectWhole(): Promise<void> {
    await world.clock.advance(3_000);
    expect([missing(a.delivered, tokens), outOfOrder(a.delivered)]).to.deep.equal([[], undefined]);
  }

  const row = () => [...world.leases.rows.values()][0];

  it('renew-applied-but-timed-out: whatever is applied without an answer, the lease is kept and nothing is given twice', async () => {
    const workers = [world.start(), world.start()];
    await load(2_000);
    for (const fates of [
      ['applied-but-lost', 'pass'],
      ['applied-but-lost', 'lost', 'throttle', 'applied-but-lost', 'pass'],
      ['lost', 'applied-but-lost', 'pass', 'pass', 'applied-but-lost'],
    ] as const) {
      let n = 0;
      writesMeet(() => fates[n++ % fates.length] ?? 'pass');
      await load(10_000);
    }
    world.leaseFate = () => 'pass';
    await expectWhole();
    expect([world.moves, a.delivered.length]).to.deep.equal([['free'], tokens.length]);
    for (const worker of workers) {
      worker.stop();
      await world.clock.runUntil(worker.ended);
    }
    expect([row()?.checkpoint, watch.lowered]).to.deep.equal([tokens.at(-1), []]);
  });

  it('renew-throttled-whole-interval: two intervals cost nothing', async () => {
    world.start();
    world.start();
    await load(2_000);
    writesMeet(() => 'throttle');
    await load(6_000);
    world.leaseFate = () => 'pass';
    await load(2_000);
    await expectWhole();
    expect([world.moves, a.delivered.length]).to.deep.equal([['free'], tokens.length]);
  });

  it('renew-throttled-whole-interval: beyond its time it is fenced, and whoever takes it begins after that', async () => {
    world.start();
    world.start();
    await load(2_000);
    const ownerBefore = row()?.owner;
    writesMeet(() => 'throttle');
    await load(9_500);
    expect(world.moves).to.deep.equal(['free', 'expired']);
    const { length } = a.delivered;
    await load(10_000);
    // What was in flight when the right ended is on its way still; nothing begins.
    expect([a.delivered.length, a.inFlight, row()?.owner]).to.deep.equal([length, 0, ownerBefore]);
    world.leaseFate = () => 'pass';
    await load(5_000);
    await expectWhole();
    expect([world.moves.length, watch.lowered]).to.deep.equal([3, []]);
  });

  it('checkpoint-and-renew-race: with answers of every length for ten minutes no write of an owner is refused', async () => {
    let refused = 0;
    const { write } = world.leases;
    world.leases.write = async (...args) => {
      const answer = await write(...args);
      if (answer.is === 'refused') refused += 1;
      return answer;
    };
    world.start();
    writesMeet(() => ({ delayMs: world.random.integer(2_500) }));
    await load(60_000);
    await world.clock.advance(540_000);
    await expectWhole();
    expect([refused, world.moves, watch.lowered]).to.deep.equal([0, ['free'], []]);
  });

  it('row-deleted-under-owner: fenced with an alarm; made again, and read from the oldest record, each record once more at most', async () => {
    const before = world.write(20);
    world.start();
    await load(3_000);
    const { length } = a.delivered;
    world.leases.rows.clear();
    await load(2_000);
    expect(world.moves.slice(0, 2)).to.deep.equal(['free', 'row-gone']);
    const alarms = world.log.lines.filter(({ level }) => level === 'error');
    expect(alarms.map(({ message }) => message)).to.deep.equal([
      'somebody deleted the row of a lease that is held; it is made again, and read from the oldest record',
    ]);
    await world.clock.advance(70_000);
    expect(missing(a.delivered.slice(length), [...before, ...tokens])).to.deep.equal([]);
    expect([a.delivered.length <= 2 * (before.length + tokens.length), world.control.gapRows.size]).to.deep.equal([true, 0]);
    expect(row()?.checkpoint).to.equal(tokens.at(-1));
  });
});
