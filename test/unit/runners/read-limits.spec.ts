import { expect } from 'chai';
import { DaemonWorld, missing, tokensOf } from '../../fakes/daemon-world.ts';
import { outOfOrder } from '../../fakes/pipeline-world.ts';
import { randomFate } from '../../fakes/random-fate.ts';

describe('limits of reading, and what it costs', () => {
  let world: DaemonWorld;

  beforeEach(() => {
    world = new DaemonWorld();
  });

  afterEach(async () => {
    await world.stopAll();
    for (const { end } of world.workers) if (end?.error !== undefined) throw end.error;
  });

  it('two-reader-limit: beside a Lambda trigger and a zombie that reads on, throttles are survived, and the likely cause is said', async () => {
    const a = world.target('a');
    const [shard] = world.now.open;
    if (shard === undefined) throw new Error('no shard');
    world.streams.slots.outside.set(shard.id, 2);
    world.start();
    const tokens = world.write(50);
    await world.clock.advance(60_000);
    expect([a.delivered.length, world.moves]).to.deep.equal([0, ['free']]);
    const said = world.log.lines.filter(({ level }) => level === 'warn');
    expect(said.map(({ message }) => message)).to.have.length(1);
    expect(said[0]?.message).to.match(/a third is likely, such as a Lambda trigger or another consumer/);
    // The zombie has gone.
    world.streams.slots.outside.set(shard.id, 1);
    tokens.push(...world.write(50));
    await world.clock.advance(15_000);
    expect([missing(a.delivered, tokens), outOfOrder(a.delivered), world.control.gapRows.size]).to.deep.equal([[], undefined, 0]);
  });

  it('cost-counter: the reads that are told of are those that are billed, with sinks that are behind, faults and a takeover', async () => {
    world = new DaemonWorld({}, { roots: 3 });
    const [a, b] = [world.target('a'), world.target('b')];
    const first = world.start();
    const tokens: string[] = [];
    world.streams.fate = randomFate(world.random, { throttled: 0.1, server: 0.05, expired: 0.05, empty: 0.1, short: 0.1 });
    for (let second = 0; second < 40; second++) {
      if (second === 10) await first.daemon.pause('p', 'b');
      if (second === 20) await first.daemon.resume('p', 'b');
      if (second === 25) world.start();
      tokens.push(...world.write(20));
      await world.clock.advance(1_000);
    }
    await world.clock.advance(30_000);
    await world.stopAll();
    expect([missing(a.delivered, tokens), missing(b.delivered, tokens), tokensOf(b.delivered).length >= 800]).to.deep.equal([[], [], true]);
    expect([world.readsTold, world.streams.slots.most]).to.deep.equal([world.streams.reads, 2]);
  });
});
