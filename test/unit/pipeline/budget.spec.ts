import { expect } from 'chai';
import { Budget, type Holder } from '../../../src/pipeline/budget.ts';
import { type Slot, slotOf } from '../../../src/pipeline/slot.ts';
import { simpleRecord } from '../../fakes/pipeline-world.ts';

const holder = (more: Partial<Holder> = {}): Holder => ({ heldBytes: () => 0, letGoPassed() {}, detachOldest: () => false, ...more });
const slot = (bytes: number): Slot => slotOf(simpleRecord(1, 'a', { bytes }));
const MIB = 1024 * 1024;

describe('pipeline/budget', () => {
  it('counts a record once, however many hold it', () => {
    const budget = new Budget({ limitBytes: 64 * MIB, sinks: 1 });
    const one = slot(1000);
    budget.hold(one);
    budget.hold(one);
    expect(budget.usedBytes).to.equal(1000);
    budget.release(one);
    expect(budget.usedBytes).to.equal(1000);
    budget.release(one);
    expect(budget.usedBytes).to.equal(0);
    expect(() => budget.release(one)).to.throw('more often');
  });

  it('permits take at most a quarter, are given in turn, and every one given back lets the next in', () => {
    const budget = new Budget({ limitBytes: 16 * MIB, sinks: 1 });
    const granted: number[] = [];
    for (let i = 0; i < 6; i += 1) budget.request(holder(), () => granted.push(i));
    expect(granted).to.deep.equal([0, 1, 2, 3]);
    budget.pageArrived();
    expect(granted).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('never fewer than two pages, so that a small budget does not stop', () => {
    const budget = new Budget({ limitBytes: 4 * MIB, sinks: 3 });
    let granted = 0;
    for (let i = 0; i < 3; i += 1) budget.request(holder(), () => (granted += 1));
    expect(granted).to.equal(2);
  });

  it('short: what every feed has passed goes first, then the fullest reading detaches', () => {
    const budget = new Budget({ limitBytes: 8 * MIB, sinks: 1 });
    const kept = slot(7.5 * MIB);
    budget.hold(kept);
    const calls: string[] = [];
    const small = holder({
      heldBytes: () => 1,
      letGoPassed: () => calls.push('small lets go'),
      detachOldest: () => calls.push('small detaches') > 99,
    });
    const full = holder({
      heldBytes: () => 2,
      letGoPassed: () => {
        if (calls.push('full lets go') > 3) budget.release(kept);
      },
      detachOldest: () => calls.push('full detaches') > 0,
    });
    budget.join(small);
    budget.join(full);
    let granted = false;
    budget.request(small, () => {
      granted = true;
    });
    expect(calls).to.deep.equal(['small lets go', 'full lets go', 'full detaches', 'full lets go']);
    expect(granted).to.equal(true);
  });
});
