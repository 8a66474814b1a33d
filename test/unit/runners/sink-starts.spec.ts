import { expect } from 'chai';
import { DaemonWorld, missing, tokensOf } from '../../fakes/daemon-world.ts';
import { hangs, outOfOrder, throttles, writesAll } from '../../fakes/pipeline-world.ts';

const HOUR = 3_600_000;

describe('where sinks start', () => {
  let world: DaemonWorld;

  beforeEach(() => {
    world = new DaemonWorld();
  });

  afterEach(async () => {
    await world.stopAll();
    for (const { end } of world.workers) if (end?.error !== undefined) throw end.error;
  });

  const said = () =>
    world.log.lines
      .filter(({ message }) => /^the sink (starts|goes on)/.test(message))
      .map(({ fields, message }) => [fields['sink'], message]);

  async function stopped(worker: ReturnType<DaemonWorld['start']>): Promise<void> {
    worker.stop();
    await world.clock.runUntil(worker.ended);
  }

  it('at the oldest record held, at a first start without another word; one line says so', async () => {
    const a = world.target('a');
    const tokens = world.write(10);
    await world.clock.advance(2 * HOUR);
    await stopped(await settled(world.start()));
    expect(missing(a.delivered, tokens)).to.deep.equal([]);
    expect(said()).to.deep.equal([
      ['a', "the sink starts at TRIM_HORIZON: the source's startingPosition, at the pipeline's first start; that covers 2 h of changes"],
    ]);
    await settled(world.start());
    expect(said().at(-1)).to.deep.equal(['a', 'the sink goes on from its saved positions; that is 2 h back']);
  });

  async function settled<T>(worker: T): Promise<T> {
    await world.clock.advance(5_000);
    return worker;
  }

  it('latest-bootstrap-then-rollover: at the tip, and the child from its start', async () => {
    const a = world.target('a');
    world.write(10);
    await world.clock.advance(1_000);
    world.start({ source: { startingPosition: 'LATEST' } });
    await world.clock.advance(1_000);
    expect(a.delivered).to.deep.equal([]);
    const tokens = world.write(5);
    world.now.roll(world.now.open[0]?.id ?? '');
    tokens.push(...world.write(5));
    await world.clock.advance(5_000);
    expect(tokensOf(a.delivered).sort()).to.deep.equal(tokens);
  });

  it('latest-crash-before-first-checkpoint: nothing written after the pinned time is skipped', async () => {
    const a = world.target('a', {}, hangs);
    world.write(10);
    await world.clock.advance(600_000);
    const worker = world.start({ source: { startingPosition: 'LATEST' } });
    await world.clock.runUntil(() => world.control.starts.size === 1);
    await world.kill(worker);
    const tokens = world.write(10);
    await world.clock.advance(600_000);
    tokens.push(...world.write(10));
    a.behaviour = writesAll();
    world.start({ source: { startingPosition: 'LATEST' } });
    await world.clock.advance(20_000);
    expect(tokensOf(a.delivered).sort()).to.deep.equal(tokens);
  });

  it('at the tip: what is written between the saved tip and the first read is not missed', async () => {
    const [a, b] = [world.target('a'), world.target('b')];
    world.write(10);
    await world.clock.advance(600_000);
    world.streams.rules.latencyMs = 300;
    world.leaseFate = () => ({ delayMs: 200 });
    const worker = world.start({ source: { startingPosition: 'LATEST' } });
    await world.clock.runUntil(() => world.control.starts.size > 0);
    const tokens: string[] = [];
    for (let n = 0; n < 40; n += 1) {
      tokens.push(...world.write(1));
      await world.clock.advance(100);
    }
    await world.clock.advance(5_000);
    expect([missing(a.delivered, tokens), missing(b.delivered, tokens)]).to.deep.equal([[], []]);
    expect([tokensOf(a.delivered).length, worker.sink('a').read]).to.deep.equal([40, 40]);
  });

  it('the same when the crash comes after the tip was asked for', async () => {
    const a = world.target('a', {}, hangs);
    const worker = world.start({ source: { startingPosition: 'LATEST' } });
    await world.clock.advance(2_000);
    const tokens = world.write(10);
    await world.clock.advance(500);
    await world.kill(worker);
    a.behaviour = writesAll();
    world.start({ source: { startingPosition: 'LATEST' } });
    await world.clock.advance(20_000);
    expect(missing(a.delivered, tokens)).to.deep.equal([]);
  });

  it('a closed shard under LATEST is at its end, though other sinks still read it', async () => {
    const early = world.target('early', {}, throttles);
    world.write(10);
    const worker = world.start({ sinks: { early: {} }, drainMs: 100 });
    await world.clock.advance(2_000);
    world.now.roll(world.now.open[0]?.id ?? '');
    world.write(10);
    await world.clock.advance(200_000);
    await stopped(worker);
    const late = world.target('late');
    early.behaviour = writesAll();
    world.start({ sinks: { early: {}, late: { startingPosition: 'LATEST' } } });
    await world.clock.advance(2_000);
    const tokens = world.write(5);
    await world.clock.advance(20_000);
    expect([tokensOf(late.delivered).sort(), early.delivered.length]).to.deep.equal([tokens, 25]);
  });

  it('a sink that comes later starts at the oldest record held, parents first, and lowers what KCL reads', async () => {
    const a = world.target('a');
    const tokens = world.write(10);
    const worker = world.start({ sinks: { a: {} }, source: { startingPosition: 'LATEST' } });
    await world.clock.advance(2_000);
    for (let generation = 0; generation < 3; generation++) {
      world.now.roll(world.now.open[0]?.id ?? '');
      tokens.push(...world.write(10));
      await world.clock.advance(5_000);
    }
    await stopped(worker);
    const late = world.target('late', {}, hangs);
    world.start({ sinks: { a: {}, late: {} }, source: { startingPosition: 'LATEST' } });
    await world.clock.advance(5_000);
    expect([...world.leases.rows.values()].map(({ checkpoint }) => checkpoint)).to.include('TRIM_HORIZON');
    late.behaviour = writesAll();
    await world.clock.advance(60_000);
    expect([missing(late.delivered, tokens), outOfOrder(late.delivered), a.delivered.length]).to.deep.equal([[], undefined, 30]);
    const line = 'the sink starts at TRIM_HORIZON: it came later and says nothing else; that covers 0 h of changes';
    expect(said()).to.deep.include(['late', line]);
  });

  it('renamedFrom keeps positions, also of rows that nobody reads any more', async () => {
    world.target('old');
    const worker = world.start({ sinks: { old: {} } });
    world.write(10);
    await world.clock.advance(2_000);
    world.now.roll(world.now.open[0]?.id ?? '');
    world.write(10);
    await world.clock.advance(5_000);
    await stopped(worker);
    const renamed = world.target('new');
    const next = world.start({ sinks: { new: { renamedFrom: 'old' } } });
    const tokens = world.write(5);
    await world.clock.advance(100_000);
    expect(tokensOf(renamed.delivered).sort()).to.deep.equal(tokens);
    await stopped(next);
    world.start({ sinks: { new: {} } });
    tokens.push(...world.write(5));
    await world.clock.advance(100_000);
    expect(tokensOf(renamed.delivered).sort()).to.deep.equal(tokens);
  });

  it('a disabled sink holds nothing back, keeps its positions, and goes on when it is back', async () => {
    const [a, b] = [world.target('a'), world.target('b')];
    let worker = world.start();
    const tokens = world.write(10);
    await world.clock.advance(2_000);
    await stopped(worker);
    worker = world.start({ sinks: { a: {}, b: { enabled: false } } });
    world.now.roll(world.now.open[0]?.id ?? '');
    tokens.push(...world.write(10));
    await world.clock.advance(5_000);
    expect([worker.sink('b').state, worker.sink('b').reason, worker.sink('b').read]).to.deep.equal(['stopped', 'disabled', null]);
    expect([missing(a.delivered, tokens), b.delivered.length]).to.deep.equal([[], 10]);
    expect([...world.leases.rows.values()].map(({ checkpoint }) => checkpoint)).to.include('SHARD_END');
    await stopped(worker);
    worker = world.start();
    await world.clock.advance(5_000);
    expect([missing(b.delivered, tokens), b.delivered.length, a.delivered.length]).to.deep.equal([[], 20, 20]);
  });

  it('a sink that was away until its records were trimmed has a gap', async () => {
    const [a, b] = [world.target('a'), world.target('b')];
    let worker = world.start();
    world.write(10);
    await world.clock.advance(2_000);
    await stopped(worker);
    world.write(10);
    worker = world.start({ sinks: { a: {}, b: { enabled: false } } });
    await world.clock.advance(5_000);
    await stopped(worker);
    await world.clock.advance(30 * HOUR);
    const tokens = world.write(10);
    worker = world.start();
    await world.clock.advance(5_000);
    expect([missing(b.delivered, tokens), b.delivered.length, a.delivered.length]).to.deep.equal([[], 20, 30]);
    expect([worker.sink('a').gaps, worker.sink('b').gaps]).to.deep.equal([1, 1]);
  });
});
