import { expect } from 'chai';
import { Budget } from '../../../src/pipeline/budget.ts';
import { memoryProgress, ScriptedTarget, startWorld } from '../../fakes/pipeline-world.ts';
import { ScriptedReader } from '../../fakes/scripted-reader.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';

describe("pipeline: a sink's share", () => {
  it('when it has room again all its partitions are told, on the next turn of the clock', async () => {
    const clock = virtualClock();
    const budget = new Budget({ limitBytes: 1_000_000, sinks: 1 });
    const world = await startWorld({
      clock,
      reader: new ScriptedReader(clock),
      progress: memoryProgress(),
      targets: { a: new ScriptedTarget() },
      budget,
    });
    const sink = world.sinks.get('a');
    let told = 0;
    sink?.watch(() => {
      told += 1;
    });
    sink?.hold(budget.shareBytes);
    sink?.hold(10);
    sink?.letGo(5, budget.shareBytes);
    await clock.advance(5);
    expect(told, 'still full').to.equal(0);
    sink?.letGo(6, budget.shareBytes);
    sink?.letGo(6, budget.shareBytes);
    expect(told, 'in the same turn').to.equal(0);
    await clock.advance(5);
    expect(told).to.equal(1);
  });
});
