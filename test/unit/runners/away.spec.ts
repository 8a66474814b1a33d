import { expect } from 'chai';
import { partsOfLeaseKey } from '../../../src/ports/lease-store.ts';
import { DaemonWorld, missing, type WorkerPlan } from '../../fakes/daemon-world.ts';
import { Mortal } from '../../fakes/mortal.ts';

const HOUR = 3_600_000;

/** Sinks and pipelines that were away while streams were replaced, or while others read and collected what was theirs too. */
describe('what was lost to who was away', () => {
  let world: DaemonWorld;

  beforeEach(() => {
    world = new DaemonWorld();
  });

  afterEach(async () => {
    await world.stopAll();
    for (const { end } of world.workers) if (end?.error !== undefined) throw end.error;
  });

  async function stopped(worker: ReturnType<DaemonWorld['start']>): Promise<void> {
    worker.stop();
    await world.clock.runUntil(worker.ended);
  }

  async function runFor(ms: number, plan: WorkerPlan): Promise<void> {
    const worker = world.start(plan);
    await world.clock.advance(ms);
    await stopped(worker);
  }

  const replace = () => {
    world.now.disable();
    world.stream = world.streams.create();
    return world.now;
  };

  const gapsOf = (sink: string) => [...world.control.gapRows.values()].filter(({ sinks }) => sinks.includes(sink));

  it('a sink that was disabled over two replacements has a gap of the stream between, of which it had read nothing', async () => {
    world.target('b');
    world.target('a');
    world.write(10);
    let worker = world.start();
    await world.clock.advance(2_000);
    await stopped(worker);
    const replace = () => {
      world.now.disable();
      world.stream = world.streams.create();
      world.write(10);
    };
    replace();
    const between = world.now;
    worker = world.start({ sinks: { a: {}, b: { enabled: false } } });
    await world.clock.advance(100_000);
    replace();
    await world.clock.advance(100_000);
    await stopped(worker);
    await world.clock.advance(26 * HOUR);
    between.removed = true;
    worker = world.start();
    await world.clock.advance(200_000);
    const gaps = [...world.control.gapRows.values()].filter(({ streamArn, sinks }) => streamArn === between.arn && sinks.includes('b'));
    expect(gaps.map(({ partition, gap }) => [partition, gap.reason])).to.have.deep.members([
      [undefined, 'stream-replaced'],
      [undefined, 'shard-gone'],
    ]);
    expect(worker.end).to.equal(undefined);
  });

  it('a sink that was disabled until a replaced stream was gone has a gap in it, and reads the new one from its start', async () => {
    const b = world.target('b');
    world.target('a');
    const before = world.write(10);
    let worker = world.start();
    await world.clock.advance(2_000);
    await stopped(worker);
    world.write(10);
    world.now.disable();
    world.stream = world.streams.create();
    const tokens = world.write(10);
    worker = world.start({ sinks: { a: {}, b: { enabled: false } } });
    await world.clock.advance(100_000);
    await stopped(worker);
    await world.clock.advance(20 * HOUR);
    const held = world.write(10);
    await world.clock.advance(6 * HOUR);
    worker = world.start();
    await world.clock.advance(200_000);
    expect([missing(b.delivered, held), missing(b.delivered, tokens).length]).to.deep.equal([[], 10]);
    const gaps = [...world.control.gapRows.values()].filter(({ sinks }) => sinks.includes('b'));
    expect(gaps.map(({ gap }) => [gap.reason, gap.from])).to.deep.include.members([
      ['stream-replaced', undefined],
      ['shard-gone', before.at(-1)],
      ['trimmed', undefined],
    ]);
  });

  it('disabled over two replacements, and the rows of the stream between were collected meanwhile: a gap', async () => {
    for (const name of ['a', 'b']) world.target(name);
    const without = { sinks: { a: {}, b: { enabled: false } } };
    await runFor(5_000, {});
    const between = replace();
    const worker = world.start(without);
    world.write(10);
    await world.clock.advance(100_000);
    replace();
    await world.clock.advance(100_000);
    await stopped(worker);
    await world.clock.advance(27 * HOUR);
    between.removed = true;
    await runFor(200_000, without);
    await runFor(200_000, {});
    const told = gapsOf('b').filter(({ streamArn, gap }) => streamArn === between.arn && gap.reason === 'shard-gone');
    expect(told.length).to.equal(1);
  });

  it('what was written between two streams is lost to a sink, too, that had begun neither, but an older one', async () => {
    for (const name of ['a', 'b']) world.target(name);
    await runFor(5_000, {});
    const worker = world.start({ sinks: { a: {}, b: { enabled: false } } });
    await world.clock.advance(5_000);
    replace();
    await world.clock.advance(100_000);
    replace();
    await world.clock.advance(100_000);
    await stopped(worker);
    await runFor(100_000, {});
    expect([gapsOf('a').length, gapsOf('b').length]).to.deep.equal([2, 2]);
  });

  it('a sink that was renamed while its stream was replaced is told of the gap, and halts with onGap: halt', async () => {
    for (const name of ['old', 'new']) world.target(name);
    await runFor(5_000, { sinks: { old: {} } });
    replace();
    const worker = world.start({ sinks: { new: { renamedFrom: 'old' } }, source: { onGap: 'halt' } });
    await world.clock.advance(100_000);
    expect([worker.sink('new').gaps, worker.sink('new').state]).to.deep.equal([1, 'halted']);
  });

  it('a pipeline gives way to another on its table for two days, and comes back: rows that the other collected are gaps', async () => {
    for (const name of ['a', 'q']) world.target(name);
    const named = (name: string, sink: string) => ({
      pipelines: [{ ...world.pipeline({ sinks: { [sink]: {} } }, new Mortal(world.clock)), name }],
    });
    world.write(10);
    await runFor(5_000, named('p', 'a'));
    world.write(10);
    for (let n = 0; n < 10; n += 1) {
      world.now.roll(world.now.open[0]?.id ?? '');
      world.write(5);
      await runFor(100_000, named('q', 'q'));
      await world.clock.advance(6 * HOUR);
    }
    const shardOf = (n: number) => [...world.now.shards.keys()][n];
    const read = (n: number) => [...world.leases.rows.keys()].some(key => partsOfLeaseKey(key).shardId === shardOf(n));
    const oldest = [...world.now.shards.keys()].findIndex((_, n) => read(n));
    await runFor(200_000, named('p', 'a'));
    expect(oldest).to.be.above(1);
    const lost = [...world.control.gapRows.values()].filter(({ sinks }) => sinks.includes('a'));
    expect(lost.map(({ partition }) => partition)).to.include(shardOf(oldest - 1));
  });
});
