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

  it('a paused sink whose place lies before what is read counts from that place', async () => {
    const { clock, reader, progress } = setUp(10);
    progress.positions.set('idle', place(4));
    progress.positions.set('good', place(10));
    const targets = { idle: new ScriptedTarget(), good: new ScriptedTarget() };
    const { run } = await startWorld({ clock, reader, progress, targets, paused: ['idle'] });
    await clock.advance(1_000);
    expect(run.sinkStatus('idle')?.oldestAt).to.equal(madeAt(4));
  });
});
