import { expect } from 'chai';
import type { Ms } from '../../../src/model/units.ts';
import { Unsettled } from '../../../src/runners/daemon-parts.ts';
import { DaemonWorld, denied, missing, type Worker, type WorkerPlan } from '../../fakes/daemon-world.ts';
import { LeaseWatch } from '../../fakes/lease-watch.ts';
import { NEVER, TIMING } from '../../fakes/lease-world.ts';
import { outOfOrder, type ScriptedTarget, throttles, writesAll } from '../../fakes/pipeline-world.ts';

/** Several daemons on one table: who reads what, and how shards move between them. */
describe('balance of several workers', function () {
  this.timeout(60_000);
  let world: DaemonWorld;
  let watch: LeaseWatch;
  let a: ScriptedTarget;

  afterEach(async () => {
    await world.stopAll();
    expect([world.trespasses, watch.lowered]).to.deep.equal([[], []]);
  });

  function worldOf(roots: number): void {
    world = new DaemonWorld({ describesPerSecond: 1_000 }, { roots });
    watch = new LeaseWatch(world.leases);
    a = world.target('a');
  }

  const rows = () => [...world.leases.rows.values()];
  const idOf = (worker: Worker) => `worker-${world.workers.indexOf(worker) + 1}`;
  const ownedBy = (worker: Worker) => world.ownedBy(worker);
  const counts = (workers: readonly Worker[]) => workers.map(ownedBy);
  const spread = (workers: readonly Worker[]) => Math.max(...counts(workers)) - Math.min(...counts(workers));
  const started = (count: number, plan: WorkerPlan = {}) => Array.from({ length: count }, () => world.start(plan));

  const load = (ms: Ms, count = 20) => world.load(ms, { everyMs: 50, count, keys: 200 });

  function expectWhole(tokens: readonly string[]): void {
    expect([missing(a.delivered, tokens), outOfOrder(a.delivered)]).to.deep.equal([[], undefined]);
  }

  it('join-balances-in-one-interval: a fifth worker has its share within one renew interval, with nothing given twice', async () => {
    worldOf(400);
    const workers = started(4);
    await world.clock.advance(40_000);
    expect(counts(workers)).to.deep.equal([100, 100, 100, 100]);
    const tokens = await load(500);
    const before = world.moves.length;
    workers.push(world.start());
    tokens.push(...(await load(TIMING.renewMs)));
    expect(counts(workers)).to.deep.equal([80, 80, 80, 80, 80]);
    await world.clock.advance(3_000);
    expectWhole(tokens);
    expect([a.delivered.length, world.moves.slice(before)]).to.deep.equal([tokens.length, Array(80).fill('handed')]);
  });

  it('simultaneous-joiners: balanced, and no shard is taken more than twice in the first minute', async () => {
    worldOf(40);
    const workers = started(10);
    await world.clock.advance(60_000);
    expect(spread(workers)).to.be.at.most(1);
    expect(rows().every(({ owner }) => owner !== undefined)).to.equal(true);
    expect([watch.takes.size, Math.max(...watch.takes.values()) <= 2]).to.deep.equal([40, true]);
  });

  it('scale-in-sigterm: every lease moves within a second, none waits for expiry, nothing is given twice', async () => {
    worldOf(12);
    const workers = started(3);
    await world.clock.advance(60_000);
    const tokens = await load(1_000);
    const [leaver, ...others] = workers;
    if (leaver === undefined) throw new Error('no worker');
    leaver.stop();
    tokens.push(...(await load(1_000)));
    expect([ownedBy(leaver), counts(others)]).to.deep.equal([0, [6, 6]]);
    tokens.push(...(await load(1_000)));
    await world.clock.advance(2_000);
    expectWhole(tokens);
    expect([leaver.end, a.delivered.length, world.moves.includes('expired')]).to.deep.equal([{}, tokens.length, false]);
    expect([...world.control.memberRows.keys()]).to.deep.equal(['worker-2', 'worker-3']);
  });

  it('no-thrash-when-balanced: no row moves for an hour, though answers of the stores are late or missing', async () => {
    worldOf(5);
    const workers = started(2, { source: { idleMs: 30_000 } });
    await world.clock.advance(60_000);
    const before = [...world.moves];
    world.leaseFate = operation => (operation === 'scan' && world.random.chance(0.2) ? { delayMs: 700 } : 'pass');
    world.controlFate = () => (world.random.chance(0.1) ? 'lost' : 'pass');
    await world.clock.advance(3_600_000);
    expect([world.moves, spread(workers)]).to.deep.equal([before, 1]);
  });

  it('stuck: a row that a live owner does not hand over is reported and left to it', async () => {
    worldOf(4);
    const [first] = started(1);
    if (first === undefined) throw new Error('no worker');
    await world.clock.advance(5_000);
    const [row] = rows();
    if (row === undefined) throw new Error('no row');
    const ghost = async () => world.leases.write(world.leases.rows.get(row.key) ?? row, { owner: 'ghost' }, NEVER);
    for (let second = 0; second < 60; second++) {
      await ghost();
      await world.clock.advance(1_000);
    }
    expect([world.moves.filter(reason => reason === 'stuck'), rows().filter(({ owner }) => owner === 'ghost').length]).to.deep.equal([
      ['stuck'],
      1,
    ]);
    const told = world.log.lines.find(({ message }) => message.includes('does not hand it over'));
    expect(told).to.deep.include({
      level: 'error',
      fields: { pipeline: 'p', shardId: row.key.slice(row.key.lastIndexOf(':') + 1), owner: 'ghost' },
    });
  });

  it('stuck: a worker whose write outlives its lost lease by two durations gives the others away and ends', async () => {
    worldOf(2);
    const [first] = started(1);
    world.start();
    await world.clock.advance(40_000);
    if (first === undefined) throw new Error('no worker');
    a.behaviour = () => new Promise(() => {});
    world.write(40, 40);
    await world.clock.advance(1_000);
    const mine = rows().find(({ owner }) => owner === idOf(first));
    if (mine === undefined) throw new Error('no row');
    a.behaviour = writesAll();
    await world.leases.write(mine, { owner: null }, NEVER);
    const from = world.clock.elapsed();
    await world.clock.runUntil(first.ended);
    expect(world.clock.elapsed() - from).to.be.within(2 * TIMING.durationMs, 2 * TIMING.durationMs + TIMING.renewMs + 21_000);
    expect(first.end?.error)
      .to.be.instanceOf(Unsettled)
      .and.have.property('message')
      .which.matches(/two lease durations/);
    await world.clock.advance(30_000);
    expect(ownedBy(first)).to.equal(0);
  });

  it('expired-taken-when-balanced: a dead worker among many leaves nothing behind', async () => {
    worldOf(9);
    const workers = started(3);
    await world.clock.advance(60_000);
    const dead = workers.pop();
    if (dead === undefined) throw new Error('no worker');
    await world.kill(dead);
    await world.clock.advance(TIMING.durationMs + 2 * TIMING.renewMs);
    expect([ownedBy(dead), spread(workers), rows().every(({ owner }) => owner !== undefined)]).to.deep.equal([0, 1, true]);
  });

  it('ended-rows-not-counted: shares are of what can be read', async () => {
    worldOf(8);
    const workers = started(1);
    await world.clock.advance(2_000);
    const tokens = world.write(100);
    for (const { id } of world.now.open) if (Number.parseInt(id.slice(-1), 16) % 2 === 0) world.now.roll(id);
    await world.clock.advance(10_000);
    workers.push(world.start());
    await world.clock.advance(10_000);
    expect([rows().length, counts(workers)]).to.deep.equal([12, [4, 4]]);
    expectWhole(tokens);
  });

  it('weighted-workers: leases are shared by weight', async () => {
    worldOf(16);
    const workers = [world.start({ weight: 1 }), world.start({ weight: 3 })];
    await world.clock.advance(90_000);
    expect(counts(workers)).to.deep.equal([4, 12]);
  });

  it('a child stays with the worker that read its parent, and is read at once', async () => {
    worldOf(6);
    const workers = started(3);
    await world.clock.advance(60_000);
    const before = [...world.moves];
    const tokens = await load(500);
    const owners = new Map(rows().map(({ key, owner }) => [key.slice(key.lastIndexOf(':') + 1), owner]));
    for (const { id } of world.now.open) world.now.roll(id);
    tokens.push(...(await load(3_000)));
    await world.clock.advance(1_000);
    expectWhole(tokens);
    const children = rows().filter(({ parents }) => parents.length > 0);
    expect(children.map(({ owner }) => owner)).to.deep.equal(children.map(({ parents }) => owners.get(parents[0] ?? '')));
    expect([spread(workers), world.moves.length - before.length, world.handed]).to.deep.equal([
      0,
      6,
      before.filter(reason => reason === 'handed').length,
    ]);
  });

  it('rolling restart: who comes when another has just left has its share at once', async () => {
    worldOf(8);
    const [first] = started(1);
    await world.clock.advance(60_000);
    // Half of what it has came here a moment ago.
    const second = world.start();
    await world.clock.advance(4_000);
    first?.stop();
    await world.clock.advance(2_000);
    const third = world.start();
    await world.clock.advance(TIMING.renewMs);
    expect(counts([second, third].filter(worker => worker !== undefined))).to.deep.equal([4, 4]);
  });

  it('two that leave at once pass on what they give each other', async () => {
    worldOf(9);
    const workers = started(3);
    await world.clock.advance(60_000);
    const tokens = await load(500);
    for (const worker of workers.slice(0, 2)) worker.stop();
    tokens.push(...(await load(3_000)));
    await world.clock.advance(1_000);
    expectWhole(tokens);
    expect([counts(workers), world.moves.includes('expired'), a.delivered.length]).to.deep.equal([[0, 0, 9], false, tokens.length]);
  });

  it('a sink that ends a parent here goes on at once with a child that another worker reads', async () => {
    worldOf(4);
    const b = world.target('b');
    const workers = started(2);
    await world.clock.advance(60_000);
    b.behaviour = throttles;
    const tokens = await load(500);
    for (const { id } of world.now.open) world.now.split(id);
    tokens.push(...(await load(500)));
    await world.clock.advance(60_000);
    // Parents are still read for the one, children for the other: twelve rows.
    expect(counts(workers)).to.deep.equal([6, 6]);
    expectWhole(tokens);
    b.behaviour = writesAll();
    await world.clock.advance(8_000);
    expect([missing(b.delivered, tokens), outOfOrder(b.delivered)]).to.deep.equal([[], undefined]);
  });

  it('a pipeline that halts everywhere is shared again when it goes on', async () => {
    worldOf(4);
    const workers = started(2);
    await world.clock.advance(60_000);
    world.tableFault = denied('DescribeTable');
    await world.clock.advance(75_000);
    world.tableFault = undefined;
    await world.clock.advance(130_000);
    const tokens = await load(500);
    await world.clock.advance(2_000);
    expectWhole(tokens);
    expect(spread(workers)).to.equal(0);
  });
});
