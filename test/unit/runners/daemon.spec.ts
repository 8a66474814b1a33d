import { expect } from 'chai';
import { Unsettled } from '../../../src/runners/daemon-parts.ts';
import { DaemonWorld, missing, tokensOf } from '../../fakes/daemon-world.ts';
import { hangs, outOfOrder, writesAll } from '../../fakes/pipeline-world.ts';

describe('daemon', () => {
  let world: DaemonWorld;

  beforeEach(() => {
    world = new DaemonWorld();
  });

  afterEach(() => world.stopAll());

  it('brings every change to every sink, the first within a second, and stops in order', async () => {
    const [a, b] = [world.target('a'), world.target('b')];
    const tokens = world.write(100);
    const worker = world.start();
    await world.clock.advance(1_000);
    expect([tokensOf(a.delivered).sort(), tokensOf(b.delivered).sort()]).to.deep.equal([tokens, tokens]);
    expect(worker.daemon.notReady()).to.deep.equal([]);
    tokens.push(...world.write(50));
    await world.clock.advance(1_000);
    worker.stop();
    await world.clock.runUntil(worker.ended);
    expect([worker.end, missing(a.delivered, tokens), a.closed]).to.deep.equal([{}, [], 1]);
    const [row] = world.leases.rows.values();
    expect([row?.owner, row?.checkpoint]).to.deep.equal([undefined, tokens.at(-1)]);
    world.start();
    await world.clock.advance(5_000);
    expect(a.delivered).to.have.length(150);
  });

  it('ends when it was told to stop before it began, also while the state tables do not answer', async () => {
    world.leaseFate = () => 'lost';
    world.controlFate = () => 'lost';
    const worker = world.start({ isStopped: true });
    await world.clock.advance(2_000);
    expect(worker.end).to.deep.equal({});
  });

  it('goes on after kill -9 from what was saved', async () => {
    const a = world.target('a');
    const tokens = world.write(500);
    const first = world.start();
    await world.clock.advance(300);
    await world.kill(first);
    tokens.push(...world.write(20));
    world.start();
    await world.clock.advance(15_000);
    expect([missing(a.delivered, tokens), outOfOrder(a.delivered)]).to.deep.equal([[], undefined]);
    expect(world.moves).to.deep.equal(['free', 'expired']);
  });

  it('in-flight-bound-after-crash: what is given again was finished within the last second or above the head', async () => {
    const a = world.target('a');
    const first = world.start();
    const tokens: string[] = [];
    for (let tick = 0; tick < 50; tick++) {
      tokens.push(...world.write(2));
      await world.clock.advance(100);
    }
    await world.kill(first);
    world.start();
    await world.clock.advance(15_000);
    expect(missing(a.delivered, tokens)).to.deep.equal([]);
    expect(a.delivered.length - tokens.length).to.be.below(2 * 15);
  });

  it('stops under load with nothing given twice when its targets drain in time', async () => {
    const a = world.target('a', {}, writesAll(400));
    const tokens = world.write(2_000, 500);
    const worker = world.start();
    await world.clock.advance(3_000);
    worker.stop();
    await world.clock.runUntil(worker.ended);
    expect(worker.end).to.deep.equal({});
    world.start();
    await world.clock.advance(60_000);
    expect([a.delivered.length, missing(a.delivered, tokens)]).to.deep.equal([2_000, []]);
  });

  it('stops within the drain and a second when a target hangs, and its lease is given back if the write lets go', async () => {
    world.target('a', {}, hangs);
    world.write(10);
    const worker = world.start({ drainMs: 2_000 });
    await world.clock.advance(2_000);
    const from = world.clock.elapsed();
    worker.stop();
    await world.clock.runUntil(worker.ended);
    expect(world.clock.elapsed() - from).to.be.within(2_000, 3_000);
    expect([worker.end, [...world.leases.rows.values()][0]?.owner]).to.deep.equal([{}, undefined]);
  });

  it('leaves a lease to expire when a write does not even let go, and says so', async () => {
    world.target('a', {}, () => new Promise(() => {}));
    world.write(10);
    const worker = world.start({ drainMs: 2_000 });
    await world.clock.advance(2_000);
    const from = world.clock.elapsed();
    worker.stop();
    await world.clock.runUntil(worker.ended);
    expect(world.clock.elapsed() - from).to.be.within(2_000, 3_000);
    expect(worker.end?.error).to.be.instanceOf(Unsettled);
    expect([...world.leases.rows.values()][0]?.owner).to.equal('worker-1');
  });

  it('is not ready while the state tables are out of reach, and keeps trying', async () => {
    const a = world.target('a');
    world.leaseFate = () => 'lost';
    const worker = world.start();
    await world.clock.advance(30_000);
    expect([worker.end, worker.daemon.notReady()[0]]).to.deep.equal([undefined, 'no answer']);
    const tokens = world.write(5);
    world.leaseFate = () => 'pass';
    await world.clock.advance(10_000);
    expect([worker.daemon.notReady(), missing(a.delivered, tokens)]).to.deep.equal([[], []]);
  });

  it('partition-from-lease-table: delivery stops before the lease can be taken, and goes on afterwards', async () => {
    const a = world.target('a');
    const worker = world.start();
    await world.clock.advance(2_000);
    world.leaseFate = () => 'lost';
    await world.clock.advance(10_000);
    const before = a.delivered.length;
    const tokens = world.write(5);
    await world.clock.advance(20_000);
    expect([a.delivered.length, worker.daemon.notReady()]).to.deep.equal([before, ['no answer']]);
    world.leaseFate = () => 'pass';
    await world.clock.advance(5_000);
    expect([missing(a.delivered, tokens), worker.daemon.notReady()]).to.deep.equal([[], []]);
  });

  it('frozen-owner-30s: when it wakes it makes no sink call and no checkpoint', async () => {
    const a = world.target('a');
    const first = world.start();
    await world.clock.advance(2_000);
    first.process.freeze();
    const tokens = world.write(20);
    await world.clock.advance(2_000);
    world.start();
    await world.clock.advance(30_000);
    expect(missing(a.delivered, tokens)).to.deep.equal([]);
    const { length } = a.delivered;
    first.process.thaw();
    await world.clock.advance(1_000);
    expect([a.delivered.length, world.moves]).to.deep.equal([length, ['free', 'expired', 'expired']]);
    tokens.push(...world.write(20));
    await world.clock.advance(2_000);
    expect([a.delivered.length, missing(a.delivered, tokens)]).to.deep.equal([length + 20, []]);
  });

  it('backpressure-does-not-stop-renewal: a sink that is blocked for 5 minutes keeps its lease', async () => {
    const a = world.target('a', {}, hangs);
    const tokens = world.write(50);
    world.start();
    await world.clock.advance(300_000);
    a.behaviour = writesAll();
    await world.clock.advance(30_000);
    expect([world.moves, missing(a.delivered, tokens)]).to.deep.equal([['free'], []]);
  });
});
