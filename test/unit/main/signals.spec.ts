import { expect } from 'chai';
import { stopOnSignals } from '../../../src/main/signals.ts';

describe('main/signals', () => {
  /** Listeners of the test runner's own are left alone: what is called is what was added. */
  function world() {
    const told: string[] = [];
    const ended: number[] = [];
    const before = process.listeners('SIGTERM');
    const stop = stopOnSignals(
      why => told.push(why),
      code => ended.push(code),
    );
    const added = process.listeners('SIGTERM').filter(listener => !before.includes(listener));
    const signal = () => added.forEach(listener => void listener('SIGTERM'));
    const over = () => {
      for (const name of ['SIGTERM', 'SIGINT'] as const)
        for (const listener of process.listeners(name).slice(-1)) process.off(name, listener);
    };
    return { stop, told, ended, signal, over };
  }

  it('the first asks for an end in order, the second ends at once', () => {
    const { stop, told, ended, signal, over } = world();
    signal();
    expect([told, ended, stop.signal.aborted]).to.deep.equal([['SIGTERM'], [], true]);
    signal();
    expect([told, ended]).to.deep.equal([['SIGTERM'], [143]]);
    over();
  });

  it('the first is no second one where a stop was asked for in another way', () => {
    const { stop, told, ended, signal, over } = world();
    stop.request('the process that started this one says so');
    signal();
    expect([told.length, ended]).to.deep.equal([1, []]);
    signal();
    expect(ended).to.deep.equal([143]);
    over();
  });
});
