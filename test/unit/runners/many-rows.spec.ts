import { expect } from 'chai';
import type { Position } from '../../../src/model/position.ts';
import { leaseKey } from '../../../src/ports/lease-store.ts';
import { DaemonWorld, missing } from '../../fakes/daemon-world.ts';
import { TIMING } from '../../fakes/lease-world.ts';

const SLOW = { source: { pollMs: 20_000, idleMs: 20_000 } };

/** Streams of many shards, with the rows of all that have ended within the last day. */
describe('many shards, and many more rows', function () {
  this.timeout(60_000);
  let world: DaemonWorld;

  afterEach(async () => {
    await world.stopAll();
    for (const { end } of world.workers) if (end?.error !== undefined) throw end.error;
  });

  const owned = () => world.workers.map(({ daemon }) => daemon.gauges().leasesOwned);

  /** Every shard has rolled so often, was read to its end, and has its row. */
  function generations(count: number): void {
    const positions = new Map<string, Position>([['p/a', { at: 'end' }]]);
    for (let generation = 0; generation < count; generation++) {
      for (const { id, parent } of world.now.open) {
        const key = leaseKey(world.now.arn, id);
        const children = [world.now.roll(id).id];
        const parents = parent === undefined ? [] : [parent];
        const ended = { counter: 9, ownerSwitches: 0, checkpoint: 'SHARD_END', endedAt: world.clock.now(), positions };
        world.leases.rows.set(key, { key, parents, children, ...ended });
      }
    }
  }

  /** What the work of so long costs, in seconds of a processor. */
  async function costOf(ms: number): Promise<number> {
    const from = process.cpuUsage();
    await world.clock.advance(ms);
    return process.cpuUsage(from).user / 1e6;
  }

  it('ten-thousand-rows: 1,500 open shards of seven generations; a start and an interval are less work than an interval lasts', async () => {
    world = new DaemonWorld({}, { roots: 1_500 });
    world.target('a');
    generations(6);
    const { heapUsed } = process.memoryUsage();
    world.start(SLOW);
    const start = await costOf(3_000);
    expect([world.leases.rows.size, owned()]).to.deep.equal([10_500, [1_500]]);
    const interval = await costOf(TIMING.renewMs);
    expect([start < 3, interval < 1], `${start} s to start, ${interval} s an interval`).to.deep.equal([true, true]);
    expect(process.memoryUsage().heapUsed - heapUsed).to.be.below(256 * 1024 * 1024);
    for (const { id } of world.now.open) world.now.roll(id);
    const rolls = await costOf(25_000);
    const beginnings = [...world.leases.rows.values()].filter(({ checkpoint }) => checkpoint === 'TRIM_HORIZON');
    expect([rolls < 10, beginnings.length], `${rolls} s to roll`).to.deep.equal([true, 1_500]);
  });

  it('ended-rows-not-counted: five thousand rows of ended shards are in nobody’s share', async () => {
    world = new DaemonWorld({}, { roots: 10 });
    const a = world.target('a');
    generations(500);
    world.start();
    world.start();
    await world.clock.advance(40_000);
    const tokens = world.write(50);
    await world.clock.advance(2_000);
    expect([world.leases.rows.size, owned(), missing(a.delivered, tokens)]).to.deep.equal([5_010, [5, 5], []]);
  });

  it('describe-throttled: at one description a second children are asked for twice a second at most, all shards are found, and reading goes on', async () => {
    world = new DaemonWorld({ describesPerSecond: 1 }, { roots: 60 });
    const a = world.target('a');
    world.start();
    await world.clock.advance(10_000);
    expect(owned()).to.deep.equal([60]);
    const rolled = world.now.open.slice(0, 20).map(({ id }) => id);
    const asked: number[] = [];
    world.streams.fate = ({ operation }) => {
      if (operation === 'children') asked.push(world.clock.elapsed());
      return 'pass';
    };
    for (const id of rolled) world.now.roll(id);
    const read = world.now.open.slice(0, 40).map(({ id }) => id);
    for (let second = 0; second < 60; second++) {
      const tokens = read.map(id => world.now.append(id).token);
      await world.clock.advance(1_000);
      expect(missing(a.delivered, tokens)).to.deep.equal([]);
    }
    await world.clock.advance(30_000);
    const ended = [...world.leases.rows.values()].filter(({ checkpoint }) => checkpoint === 'SHARD_END');
    expect([ended.length, owned(), world.log.lines.filter(({ level }) => level === 'error')]).to.deep.equal([20, [60], []]);
    const inASecond = asked.map(at => asked.filter(other => other >= at && other < at + 1_000).length);
    expect(Math.max(...inASecond)).to.be.at.most(2);
  });
});
