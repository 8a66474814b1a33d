import { expect } from 'chai';
import { SinkFault } from '../../../src/connector.ts';
import { Budget } from '../../../src/pipeline/budget.ts';
import {
  accountsAreRight,
  doneButFailed,
  hangs,
  manyRecords,
  memoryProgress,
  outOfOrder,
  ScriptedTarget,
  simpleRecord,
  startWorld,
  throttles,
  writesAll,
} from '../../fakes/pipeline-world.ts';
import { ScriptedReader } from '../../fakes/scripted-reader.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';

function setUp(records = manyRecords(1000, 50), options: { pageRecords?: number } = {}) {
  const clock = virtualClock();
  const reader = new ScriptedReader(clock, options);
  reader.records.push(...records);
  return { clock, reader, progress: memoryProgress() };
}

describe('pipeline/run', () => {
  it('delivers everything once, in order per key, and ends when the partition does', async () => {
    const { clock, reader, progress } = setUp();
    reader.closed = true;
    const target = new ScriptedTarget();
    const world = await startWorld({ clock, reader, progress, targets: { a: target } });
    await clock.runUntil(world.run.done);
    expect(await world.run.done).to.equal('ended');
    expect(target.delivered).to.have.length(1000);
    expect(outOfOrder(target.delivered)).to.equal(undefined);
    expect(progress.positions.get('a')).to.deep.equal({ at: 'end' });
    expect(world.ended).to.deep.equal(['a']);
    expect(reader.mostOpen).to.equal(1);
  });

  it('saves at most once a second, and one write for all sinks', async () => {
    const { clock, reader, progress } = setUp(manyRecords(2000, 50), { pageRecords: 10 });
    const world = await startWorld({ clock, reader, progress, targets: { a: new ScriptedTarget(), b: new ScriptedTarget() } });
    await clock.advance(5_000);
    expect(progress.saves).to.be.within(1, 6);
    await Promise.all([world.run.stop(1_000), clock.advance(2_000)]);
    const last = simpleRecord(2000, 'x').token;
    for (const name of ['a', 'b']) expect(progress.positions.get(name)).to.include({ at: 'after', token: last });
  });

  it('a slow sink does not hold the others up, falls behind and is complete in the end', async () => {
    const { clock, reader, progress } = setUp(manyRecords(20_000, 500, { bytes: 2_000 }), { pageRecords: 100 });
    reader.closed = true;
    const fast = new ScriptedTarget();
    const slow = new ScriptedTarget({ inFlight: 1 }, writesAll(40));
    const budget = new Budget({ limitBytes: 16 * 1024 * 1024, sinks: 2 });
    const world = await startWorld({ clock, reader, progress, targets: { fast, slow }, budget, delivery: { windowBytes: 200_000 } });
    await clock.runUntil(() => fast.delivered.length === 20_000, { maxMs: 60_000 });
    expect(clock.elapsed()).to.be.below(3_000);
    expect(slow.delivered.length).to.be.below(5_000);
    await clock.runUntil(world.run.done);
    expect(slow.delivered).to.have.length(20_000);
    expect(outOfOrder(slow.delivered)).to.equal(undefined);
    expect(reader.mostOpen).to.be.at.most(2);
    expect(budget.usedBytes).to.equal(0);
  });

  it('a hanging sink times out, is retried, and the other goes on', async () => {
    const { clock, reader, progress } = setUp();
    reader.closed = true;
    const good = new ScriptedTarget();
    const bad = new ScriptedTarget({}, hangs);
    const world = await startWorld({ clock, reader, progress, targets: { good, bad } });
    await clock.advance(5_000);
    expect(good.delivered).to.have.length(1000);
    expect(progress.positions.get('good')).to.deep.equal({ at: 'end' });
    await clock.advance(20_000);
    bad.behaviour = writesAll();
    await clock.runUntil(world.run.done);
    expect(bad.delivered).to.have.length(1000);
    expect(outOfOrder(bad.delivered)).to.equal(undefined);
  });

  it('a write that ignores its abort halts the sink until it settles, and no second attempt runs beside it', async () => {
    const { clock, reader, progress } = setUp(manyRecords(10, 1));
    reader.closed = true;
    const stubborn = Promise.withResolvers<{ failed: [] }>();
    const target = new ScriptedTarget({}, () => stubborn.promise);
    const world = await startWorld({ clock, reader, progress, targets: { a: target } });
    await clock.advance(16_000);
    expect(world.sinks.get('a')?.state).to.equal('halted');
    expect(target.batches).to.have.length(1);
    target.behaviour = writesAll();
    stubborn.resolve({ failed: [] });
    await clock.runUntil(world.run.done);
    expect(target.delivered).to.have.length(10);
    expect(target.opened).to.equal(2);
  });

  it('work done but reported failed is written again: nothing lost, order of first deliveries kept', async () => {
    const { clock, reader, progress } = setUp();
    reader.closed = true;
    const target = new ScriptedTarget({}, doneButFailed);
    const world = await startWorld({ clock, reader, progress, targets: { a: target } });
    await clock.advance(50);
    target.behaviour = writesAll();
    await clock.runUntil(world.run.done);
    expect(new Set(target.delivered.map(record => record.token)).size).to.equal(1000);
    expect(outOfOrder(target.delivered)).to.equal(undefined);
    const sink = world.sinks.get('a');
    expect(sink && accountsAreRight(sink)).to.equal(true);
  });

  it('a refused record halts its sink with the position kept; resume tries it again', async () => {
    const { clock, reader, progress } = setUp(manyRecords(100, 100));
    reader.closed = true;
    const poison = reader.records[41]?.token;
    const target = new ScriptedTarget({}, async (batch, { target }) => {
      const index = batch.records.findIndex(record => record.token === poison);
      target.store(batch.records.filter((_, i) => i !== index));
      return { failed: index < 0 ? [] : [{ index, disposition: 'reject' as const, reason: 'too large' }] };
    });
    const world = await startWorld({ clock, reader, progress, targets: { a: target, b: new ScriptedTarget() } });
    await clock.advance(3_000);
    const sink = world.sinks.get('a');
    expect(sink?.state).to.equal('halted');
    expect(sink?.reason).to.contain('too large').and.to.contain(String(poison));
    expect(progress.positions.get('a')).to.include({ token: reader.records[40]?.token });
    target.behaviour = writesAll();
    sink?.resume();
    await clock.runUntil(world.run.done);
    expect(new Set(target.delivered.map(record => record.token)).size).to.equal(100);
  });

  it('a batch that the target judged bad is bisected down to the poison record, order kept', async () => {
    const { clock, reader, progress } = setUp(manyRecords(100, 10));
    const poison = reader.records[60]?.token;
    const target = new ScriptedTarget({}, async (batch, { target }) => {
      if (batch.records.some(record => record.token === poison)) throw new SinkFault('retry', 'validation', { judged: true });
      target.store(batch.records);
      return { failed: [] };
    });
    const world = await startWorld({ clock, reader, progress, targets: { a: target } });
    await clock.advance(5_000);
    expect(world.sinks.get('a')?.state).to.equal('halted');
    expect(target.delivered.length).to.be.at.least(60);
    target.behaviour = writesAll();
    world.sinks.get('a')?.resume();
    await clock.runUntil(() => target.delivered.length === 100);
    expect(outOfOrder(target.delivered)).to.equal(undefined);
  });

  it('throttled for long: waits grow, nothing is lost', async () => {
    const { clock, reader, progress } = setUp();
    reader.closed = true;
    const target = new ScriptedTarget({}, throttles);
    const world = await startWorld({ clock, reader, progress, targets: { a: target } });
    await clock.advance(60_000);
    expect(target.batches.length).to.be.below(2_000);
    target.behaviour = writesAll();
    await clock.runUntil(world.run.done);
    expect(target.delivered).to.have.length(1000);
  });

  it('stop finishes what was begun and saves it: a restart has no duplicate', async () => {
    const { clock, reader, progress } = setUp(manyRecords(5_000, 100));
    reader.closed = true;
    const target = new ScriptedTarget({}, writesAll(30));
    const first = await startWorld({ clock, reader, progress, targets: { a: target } });
    await clock.advance(200);
    await Promise.all([first.run.stop(5_000), clock.advance(6_000)]);
    expect(await first.run.done).to.equal('stopped');
    const sink = first.sinks.get('a');
    expect(sink && accountsAreRight(sink)).to.equal(true);
    expect(sink?.accounts.counts.open).to.equal(0);
    const second = await startWorld({ clock, reader, progress, targets: { a: target } });
    await clock.runUntil(second.run.done);
    expect(target.delivered).to.have.length(5_000);
  });

  it('a lost save fences the run: no write begins after it', async () => {
    const { clock, reader, progress } = setUp(manyRecords(5_000, 100));
    const target = new ScriptedTarget({}, writesAll(30));
    const world = await startWorld({ clock, reader, progress, targets: { a: target } });
    progress.lost = true;
    await clock.runUntil(world.run.done);
    const batches = target.batches.length;
    await clock.advance(5_000);
    expect(target.batches.length).to.equal(batches);
    expect(await world.run.done).to.equal('lost');
  });

  it('a sink that waits for its parents is not read for until it is admitted', async () => {
    const { clock, reader, progress } = setUp();
    reader.closed = true;
    const early = new ScriptedTarget();
    const late = new ScriptedTarget();
    const world = await startWorld({ clock, reader, progress, targets: { early, late }, admitted: ['early'] });
    await clock.advance(10_000);
    expect(early.delivered).to.have.length(1000);
    expect(late.delivered).to.have.length(0);
    expect(world.run.sinkStatus('late')?.state).to.equal('waiting');
    world.run.admit('late');
    await clock.runUntil(world.run.done);
    expect(late.delivered).to.have.length(1000);
  });

  it('a gap is durable for each sink before anything behind it is saved', async () => {
    const { clock, reader, progress } = setUp();
    const gap = { reason: 'trimmed' as const, at: 0, note: 'test' };
    reader.gap = { before: String(reader.records[300]?.token), gap };
    const world = await startWorld({ clock, reader, progress, targets: { a: new ScriptedTarget(), b: new ScriptedTarget() } });
    await clock.advance(3_000);
    expect(world.gaps.map(found => found.sinks[0]).sort()).to.deep.equal(['a', 'b']);
  });

  it('a paused sink begins nothing, the reading goes on, and it catches up after resume', async () => {
    const { clock, reader, progress } = setUp(manyRecords(20_000, 500, { bytes: 2_000 }));
    reader.closed = true;
    const on = new ScriptedTarget();
    const off = new ScriptedTarget();
    const world = await startWorld({ clock, reader, progress, targets: { on, off }, paused: ['off'] });
    await clock.runUntil(() => on.delivered.length === 20_000);
    expect(off.delivered).to.have.length(0);
    expect(world.run.sinkStatus('off')?.state).to.equal('behind');
    world.sinks.get('off')?.resume();
    await clock.runUntil(world.run.done);
    expect(off.delivered).to.have.length(20_000);
  });
});
