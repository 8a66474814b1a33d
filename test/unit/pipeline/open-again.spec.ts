import { expect } from 'chai';
import { SinkFault } from '../../../src/connector.ts';
import { manyRecords, memoryProgress, ScriptedTarget, startWorld } from '../../fakes/pipeline-world.ts';
import { ScriptedReader } from '../../fakes/scripted-reader.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';

/** How long a target that could not be opened, and then can, is waited for. */
async function reopensAfterMs(fault: SinkFault): Promise<number> {
  const clock = virtualClock();
  const reader = new ScriptedReader(clock);
  reader.records.push(...manyRecords(10, 2));
  const target = new ScriptedTarget();
  target.refuseOpen = fault;
  const { sinks } = await startWorld({ clock, reader, progress: memoryProgress(), targets: { late: target } });
  expect(sinks.get('late')?.state).to.equal('halted');
  target.refuseOpen = undefined;
  const from = clock.elapsed();
  await clock.runUntil(() => target.delivered.length === 10);
  return clock.elapsed() - from;
}

describe('pipeline: a target that cannot be opened at the start', () => {
  it('is asked again after the longest wait of a retry when it gave no answer', async () => {
    expect(await reopensAfterMs(new SinkFault('retry', 'no answer'))).to.be.within(10_000, 10_500);
  });

  it('is looked at each minute when something is missing', async () => {
    expect(await reopensAfterMs(new SinkFault('halt', 'the table is missing', { heals: true }))).to.be.within(60_000, 60_500);
  });
});
