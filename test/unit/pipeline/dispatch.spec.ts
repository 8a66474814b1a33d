import { expect } from 'chai';
import type { Cut } from '../../../src/pipeline/cut.ts';
import { deliveryPlan } from '../../../src/pipeline/delivery-plan.ts';
import { Dispatch } from '../../../src/pipeline/dispatch.ts';
import type { Entry } from '../../../src/pipeline/entry.ts';
import { slotOf } from '../../../src/pipeline/slot.ts';
import { DELIVERY, simpleRecord, TRAITS } from '../../fakes/pipeline-world.ts';

const NOW = { elapsed: 0, pressed: false, scale: 1 };
const plan = (more: Partial<ReturnType<typeof deliveryPlan>> = {}) => ({ ...deliveryPlan(TRAITS, DELIVERY, 1e9), ...more });
const entry = (n: number, key: string, group = ''): Entry => ({
  slot: slotOf(simpleRecord(n, key)),
  ordinal: n,
  takenAt: 0,
  group,
  tries: 0,
  done: false,
});
const numbers = (cut: Cut | undefined) => cut?.written.map(({ ordinal }) => ordinal);

function filled(dispatch: Dispatch, keys: string): Entry[] {
  const entries = [...keys].map((key, i) => entry(i + 1, key));
  for (const one of entries) dispatch.enqueue(one);
  return entries;
}

describe('pipeline/dispatch', () => {
  it('a key is in at most one batch at a time', () => {
    const dispatch = new Dispatch(plan({ batchRecords: 2 }));
    filled(dispatch, 'aabab');
    const first = dispatch.cut(NOW);
    expect(numbers(first)).to.deep.equal([1, 2]);
    expect(numbers(dispatch.cut(NOW))).to.deep.equal([3, 5]);
    expect(dispatch.cut(NOW)).to.equal(undefined);
    if (first) dispatch.settle(first, [], () => 0);
    expect(numbers(dispatch.cut(NOW))).to.deep.equal([4]);
  });

  it('a failed record goes back to the head of its key and does not hold its neighbours', () => {
    const dispatch = new Dispatch(plan({ batchRecords: 3 }));
    const [first] = filled(dispatch, 'abca');
    const cut = dispatch.cut(NOW);
    if (cut && first) dispatch.settle(cut, [first, ...cut.written.filter(({ ordinal }) => ordinal === 4)], () => 500);
    expect(dispatch.isRetrying).to.equal(true);
    dispatch.enqueue(entry(5, 'b'));
    expect(numbers(dispatch.cut(NOW))).to.deep.equal([3, 5]);
    expect(dispatch.dueAt()).to.equal(500);
    expect(numbers(dispatch.cut({ ...NOW, elapsed: 500 }))).to.deep.equal([1, 4]);
  });

  it('oncePerKey puts one record of a key into a batch', () => {
    const dispatch = new Dispatch(plan({ oncePerKey: true }));
    filled(dispatch, 'aabb');
    expect(numbers(dispatch.cut(NOW))).to.deep.equal([1, 3]);
  });

  it('coalescing keeps the newest of a key and names the others', () => {
    const dispatch = new Dispatch(plan({ coalesce: true, oncePerKey: true }));
    filled(dispatch, 'aabab');
    const cut = dispatch.cut(NOW);
    expect(numbers(cut)).to.deep.equal([4, 5]);
    expect(cut?.coalesced.map(({ ordinal }) => ordinal)).to.deep.equal([1, 2, 3]);
  });

  it('order: partition is one key', () => {
    const dispatch = new Dispatch(plan({ order: 'partition', batchRecords: 2 }));
    filled(dispatch, 'abcd');
    expect(numbers(dispatch.cut(NOW))).to.deep.equal([1, 2]);
    expect(dispatch.cut(NOW)).to.equal(undefined);
  });

  it('order: none lets every record go by itself', () => {
    const dispatch = new Dispatch(plan({ order: 'none', batchRecords: 2 }));
    filled(dispatch, 'aaaa');
    expect([numbers(dispatch.cut(NOW)), numbers(dispatch.cut(NOW))]).to.deep.equal([
      [1, 2],
      [3, 4],
    ]);
  });

  it('a batch never mixes groups, has one in flight per group, and groups take turns', () => {
    const dispatch = new Dispatch(plan({ batchRecords: 1 }));
    for (const [n, key, group] of [
      [1, 'a', 'p0'],
      [2, 'b', 'p1'],
      [3, 'c', 'p0'],
      [4, 'd', 'p1'],
    ] as const) {
      dispatch.enqueue(entry(n, key, group));
    }
    const [one, two] = [dispatch.cut(NOW), dispatch.cut(NOW)];
    expect([numbers(one), numbers(two)]).to.deep.equal([[1], [2]]);
    expect(dispatch.cut(NOW)).to.equal(undefined);
    if (one) dispatch.settle(one, [], () => 0);
    expect(numbers(dispatch.cut(NOW))).to.deep.equal([3]);
  });

  it('waits for its window unless pressed; a full batch goes at once; never more bytes than a batch may have', () => {
    const dispatch = new Dispatch(plan({ waitMs: 1000, batchRecords: 3, batchBytes: 450 }));
    filled(dispatch, 'a');
    expect(dispatch.cut(NOW)).to.equal(undefined);
    expect(dispatch.dueAt()).to.equal(1000);
    expect(numbers(dispatch.cut({ ...NOW, pressed: true }))).to.deep.equal([1]);
    for (const [i, key] of [...'bcd'].entries()) dispatch.enqueue(entry(10 + i, key));
    expect(numbers(dispatch.cut(NOW))).to.deep.equal([10, 11]);
  });

  it('after a timeout the next cut is smaller, but never empty', () => {
    const dispatch = new Dispatch(plan({ batchRecords: 4 }));
    filled(dispatch, 'abcdef');
    expect(numbers(dispatch.cut({ ...NOW, scale: 0.5 }))).to.deep.equal([1, 2]);
    expect(numbers(dispatch.cut({ ...NOW, scale: 0.01 }))).to.deep.equal([3]);
  });

  it('bisecting writes the left half first, and what failed in it holds later records of its key', () => {
    const dispatch = new Dispatch(plan({ batchRecords: 4 }));
    filled(dispatch, 'abab');
    const cut = dispatch.cut(NOW);
    expect(numbers(cut)).to.deep.equal([1, 3, 2, 4]);
    if (cut) dispatch.bisect(cut);
    const left = dispatch.cut(NOW);
    expect(numbers(left)).to.deep.equal([1, 3]);
    expect(dispatch.cut(NOW), 'the right half waits for the left').to.equal(undefined);
    if (left) dispatch.settle(left, left.written, () => 100);
    expect(numbers(dispatch.cut(NOW))).to.deep.equal([2, 4]);
    expect(numbers(dispatch.cut({ ...NOW, elapsed: 100 }))).to.deep.equal([1, 3]);
  });

  it('remove takes what waits and leaves what is in flight', () => {
    const dispatch = new Dispatch(plan({ batchRecords: 1, inFlight: 1 }));
    filled(dispatch, 'abc');
    const cut = dispatch.cut(NOW);
    expect(dispatch.remove(() => true).map(({ ordinal }) => ordinal)).to.deep.equal([2, 3]);
    expect(dispatch.isIdle).to.equal(false);
    if (cut) dispatch.settle(cut, [], () => 0);
    expect(dispatch.isIdle).to.equal(true);
  });
});
