import { expect } from 'chai';
import { SinkFault } from '../../../src/connector.ts';
import type { Position } from '../../../src/model/position.ts';
import { memoryProgress, ScriptedTarget, SOURCE, simpleRecord, startWorld } from '../../fakes/pipeline-world.ts';
import { ScriptedReader } from '../../fakes/scripted-reader.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';

const madeAt = (n: number) => SOURCE.streamCreatedAt + n * 1000;
const place = (n: number): Position => ({ at: 'after', token: simpleRecord(n, 'x').token, changedAt: madeAt(n) });

function setUp(count: number) {
  const clock = virtualClock();
  const reader = new ScriptedReader(clock);
  const add = (n: number) => reader.records.push(simpleRecord(n, `k${n}`, { changedAt: madeAt(n) }));
  for (let n = 1; n <= count; n += 1) add(n);
  return { clock, reader, add, progress: memoryProgress() };
}

describe('pipeline: what is outstanding for a sink that takes nothing', () => {
  it('a sink that never opened counts from the first record of its partition', async () => {
    const { clock, reader, progress } = setUp(10);
    const shut = new ScriptedTarget();
    shut.refuseOpen = new SinkFault('halt', 'the table is missing');
    const { run, sinks } = await startWorld({ clock, reader, progress, targets: { shut, good: new ScriptedTarget() } });
    await clock.advance(1_000);
    expect(sinks.get('shut')?.state).to.equal('halted');
    expect(run.sinkStatus('shut')?.oldestAt).to.equal(madeAt(1));
    expect(run.sinkStatus('good')?.oldestAt).to.equal(null);
  });

  it('a paused sink that had everything has nothing outstanding after a restart, until a record comes', async () => {
    const { clock, reader, progress, add } = setUp(10);
    for (const name of ['idle', 'good']) progress.positions.set(name, place(10));
    const targets = { idle: new ScriptedTarget(), good: new ScriptedTarget() };
    const { run } = await startWorld({ clock, reader, progress, targets, paused: ['idle'] });
    await clock.advance(1_000);
    expect(run.sinkStatus('idle')?.oldestAt).to.equal(null);
    add(11);
    add(12);
    await clock.advance(1_000);
    expect(run.sinkStatus('idle')?.oldestAt).to.equal(madeAt(11));
  });

  it('a paused sink whose place lies before what is read counts from the first record after it', async () => {
    const { clock, reader, progress } = setUp(10);
    progress.positions.set('idle', place(4));
    progress.positions.set('good', place(10));
    const targets = { idle: new ScriptedTarget(), good: new ScriptedTarget() };
    const { run } = await startWorld({ clock, reader, progress, targets, paused: ['idle'] });
    await clock.advance(1_000);
    expect(run.sinkStatus('idle')?.oldestAt).to.equal(madeAt(5));
  });

  describe('nobody else reads', () => {
    it('all paused at the end of what there is: nothing is outstanding, until a record comes', async () => {
      const { clock, reader, progress, add } = setUp(10);
      for (const name of ['a', 'b']) progress.positions.set(name, place(10));
      const { run } = await startWorld({
        clock,
        reader,
        progress,
        targets: { a: new ScriptedTarget(), b: new ScriptedTarget() },
        paused: ['a', 'b'],
      });
      const oldest = () => ['a', 'b'].map(name => run.sinkStatus(name)?.oldestAt);
      expect(oldest()).to.deep.equal([madeAt(10), madeAt(10)]);
      await clock.advance(1_000);
      expect(oldest()).to.deep.equal([null, null]);
      await clock.advance(60_000);
      add(11);
      add(12);
      await clock.advance(1_000);
      expect(oldest()).to.deep.equal([madeAt(11), madeAt(11)]);
    });

    it('a look ends when the first record has been seen', async () => {
      const { clock, reader, progress, add } = setUp(10);
      for (const name of ['a', 'b']) progress.positions.set(name, place(10));
      await startWorld({ clock, reader, progress, targets: { a: new ScriptedTarget(), b: new ScriptedTarget() }, paused: ['a', 'b'] });
      add(11);
      await clock.advance(1_000);
      const { reads } = reader;
      add(12);
      await clock.advance(60_000);
      expect([reader.reads - reads, reader.open, reader.mostOpen]).to.deep.equal([0, 0, 1]);
    });

    it('each of several places is looked at, also where nothing comes', async () => {
      const { clock, reader, progress, add } = setUp(10);
      progress.positions.set('a', place(10));
      progress.positions.set('b', place(4));
      const targets = { a: new ScriptedTarget(), b: new ScriptedTarget(), c: new ScriptedTarget() };
      const { run } = await startWorld({
        clock,
        reader,
        progress,
        targets,
        paused: ['a', 'b', 'c'],
        startAt: () => ({ at: 'tip', takenAt: madeAt(10) }),
      });
      const oldest = () => ['a', 'b', 'c'].map(name => run.sinkStatus(name)?.oldestAt);
      await clock.advance(10_000);
      expect(oldest()).to.deep.equal([null, madeAt(5), null]);
      add(11);
      await clock.advance(10_000);
      expect(oldest()).to.deep.equal([madeAt(11), madeAt(5), madeAt(11)]);
      expect(reader.mostOpen).to.equal(1);
    });

    it('a sink that is resumed is served at once, however long a poll waits, and never a third reader', async () => {
      const clock = virtualClock();
      const reader = new ScriptedReader(clock, { pollMs: 300_000 });
      for (let n = 1; n <= 10; n += 1) reader.records.push(simpleRecord(n, `k${n}`, { changedAt: madeAt(n) }));
      const progress = memoryProgress();
      for (const name of ['a', 'b']) progress.positions.set(name, place(10));
      const [a, b] = [new ScriptedTarget(), new ScriptedTarget()];
      const { run, sinks } = await startWorld({ clock, reader, progress, targets: { a, b }, paused: ['a', 'b'] });
      await clock.advance(1_000);
      reader.records.push(simpleRecord(11, 'k', { changedAt: madeAt(11) }));
      sinks.get('a')?.resume();
      await clock.advance(1_000);
      expect([a.delivered.length, run.sinkStatus('b')?.oldestAt, reader.open]).to.deep.equal([1, madeAt(11), 1]);
      sinks.get('b')?.resume();
      await clock.advance(1_000);
      expect([b.delivered.length, run.sinkStatus('b')?.oldestAt]).to.deep.equal([1, null]);
      expect(reader.mostOpen).to.be.at.most(2);
    });

    it('the end of the partition is an end for a paused sink that has everything, and not for one that has not', async () => {
      const { clock, reader, progress } = setUp(10);
      progress.positions.set('a', place(10));
      progress.positions.set('b', place(4));
      const { ended, run } = await startWorld({
        clock,
        reader,
        progress,
        targets: { a: new ScriptedTarget(), b: new ScriptedTarget() },
        paused: ['a', 'b'],
      });
      reader.closed = true;
      await clock.advance(20_000);
      expect([ended, run.sinkStatus('b')?.oldestAt]).to.deep.equal([['a'], madeAt(5)]);
    });
  });
});
