import { expect } from 'chai';
import type { Ms } from '../../../src/model/units.ts';
import { DaemonWorld, missing, type Worker } from '../../fakes/daemon-world.ts';
import { LeaseWatch } from '../../fakes/lease-watch.ts';
import { TIMING } from '../../fakes/lease-world.ts';
import { outOfOrder, type ScriptedTarget, writesAll } from '../../fakes/pipeline-world.ts';

/** Running shards that go from one worker to another, and workers that die in the midst of it. */
describe('hand-off of running shards', () => {
  let world: DaemonWorld;
  let watch: LeaseWatch;
  let a: ScriptedTarget;

  afterEach(async () => {
    await world.stopAll();
    expect([world.trespasses, watch.lowered]).to.deep.equal([[], []]);
  });

  function worldOf(roots: number): void {
    world = new DaemonWorld({}, { roots });
    watch = new LeaseWatch(world.leases);
    a = world.target('a');
  }

  const rows = () => [...world.leases.rows.values()];
  const ownedBy = (worker: Worker) => world.ownedBy(worker);

  const load = (ms: Ms) => world.load(ms, { everyMs: 50, count: 20, keys: 200 });

  function expectWhole(tokens: readonly string[]): void {
    expect([missing(a.delivered, tokens), outOfOrder(a.delivered)]).to.deep.equal([[], undefined]);
  }

  /** A second worker serves the stream since a moment ago, and each write takes nearly as long as the drain of a hand-over. */
  async function joinUnderLoad() {
    worldOf(4);
    const first = world.start();
    await world.clock.advance(5_000);
    a.behaviour = writesAll(390);
    const tokens = await load(1_000);
    const second = world.start();
    await world.clock.runUntil(() => world.control.memberRows.get('worker-2')?.serves.length === 1);
    return { first, second, tokens };
  }

  it('handoff-under-1s: under a steady load no record waits for longer than a second', async () => {
    worldOf(2);
    world.start();
    await world.clock.advance(5_000);
    await load(1_000);
    world.start();
    const late = new Map<string, Ms>();
    for (let tick = 0; tick < 400; tick++) {
      const at = world.clock.elapsed();
      for (const token of world.write(2, 50)) late.set(token, at);
      await world.clock.advance(10);
      for (const { token } of a.delivered) {
        const since = late.get(token);
        if (since === undefined) continue;
        expect(world.clock.elapsed() - since).to.be.at.most(1_000 + 10);
        late.delete(token);
      }
    }
    expect([world.handed, late.size < 100]).to.deep.equal([1, true]);
  });

  it('handoff-slow-sink: given over when its writes have settled, and what had not settled is given again', async () => {
    worldOf(2);
    world.start();
    await world.clock.advance(5_000);
    a.behaviour = writesAll(1_000);
    const tokens = await load(500);
    world.start();
    tokens.push(...(await load(4_000)));
    await world.clock.advance(30_000);
    expectWhole(tokens);
    expect([world.handed, world.moves.includes('expired')]).to.deep.equal([1, false]);
  });

  it('handoff-target-dies: the row expires, and another worker takes it', async () => {
    worldOf(4);
    const first = world.start();
    await world.clock.advance(5_000);
    const second = world.start();
    await world.clock.runUntil(() => rows().some(({ owner }) => owner === 'worker-2'));
    await world.kill(second);
    const tokens = await load(1_000);
    await world.clock.advance(TIMING.durationMs + 2 * TIMING.renewMs + 3_000);
    expect(ownedBy(first)).to.equal(4);
    expectWhole(tokens);
  });

  it('handoff-owner-dies-mid-drain: the rows expire, and nothing is stuck', async () => {
    const { first, second, tokens } = await joinUnderLoad();
    tokens.push(...(await load(300)));
    await world.kill(first);
    tokens.push(...(await load(1_000)));
    await world.clock.advance(TIMING.durationMs + 2 * TIMING.renewMs + 5_000);
    expect([ownedBy(second), world.moves.filter(reason => reason === 'handed' || reason === 'expired')]).to.deep.equal([
      4,
      Array(4).fill('expired'),
    ]);
    expectWhole(tokens);
  });

  it('a leaver passes on what was on its way to it when it was told to stop', async () => {
    // A drain that takes long, so that the rows arrive after the leaver has said so.
    const { first, second, tokens } = await joinUnderLoad();
    tokens.push(...(await load(350)));
    second.stop();
    tokens.push(...(await load(3_000)));
    expect([ownedBy(first), second.end, world.moves.includes('expired')]).to.deep.equal([4, {}, false]);
    await world.clock.advance(2_000);
    expectWhole(tokens);
  });

  it('what a dead worker leaves is taken in time, though whose it is by right has just come and counts from its first look', async () => {
    worldOf(6);
    const first = world.start();
    const second = world.start();
    await world.clock.advance(60_000);
    await world.kill(second);
    const from = world.clock.elapsed();
    const tokens = await load(1_000);
    await world.clock.advance(TIMING.durationMs - 2_000);
    // It knows the rows of the dead one for a moment only, and most of them are its by right.
    world.start();
    await world.clock.runUntil(() => ownedBy(second) === 0, { maxMs: 60_000 });
    expect(world.clock.elapsed() - from).to.be.at.most(TIMING.durationMs + 2 * TIMING.renewMs);
    await world.clock.advance(3_000);
    expectWhole(tokens);
    expect(ownedBy(first)).to.be.above(0);
  });
});
