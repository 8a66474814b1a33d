import { expect } from 'chai';
import { deliveryPlan } from '../../../src/pipeline/delivery-plan.ts';
import type { Entry } from '../../../src/pipeline/entry.ts';
import { keyQueue } from '../../../src/pipeline/key-queue.ts';
import { answered, backoffMs, failedInRow, failedWhole } from '../../../src/pipeline/retry.ts';
import { slotOf } from '../../../src/pipeline/slot.ts';
import { DELIVERY, simpleRecord, TRAITS } from '../../fakes/pipeline-world.ts';

const PLAN = deliveryPlan(TRAITS, DELIVERY, 1e9);
const NOW = simpleRecord(1, 'a').changedAt;
const batch = (keys: string): Entry[] =>
  [...keys].map((key, i) => ({ slot: slotOf(simpleRecord(i + 1, key)), ordinal: i + 1, takenAt: 0, group: '', tries: 0, done: false }));
const failed = (index: number, disposition: 'retry' | 'reject' | 'halt' = 'retry') => ({ index, disposition, reason: 'no' });
const ordinals = (entries: readonly Entry[]) => entries.map(({ ordinal }) => ordinal);

describe('pipeline/retry', () => {
  it('later records of a failed key go back too, and only the lowest has used a try', () => {
    const entries = batch('abab');
    const verdict = answered(entries, { failed: [failed(0)] }, PLAN, NOW);
    expect(ordinals(verdict.durable)).to.deep.equal([2, 4]);
    expect(ordinals(verdict.back)).to.deep.equal([1, 3]);
    expect(entries.map(({ tries }) => tries)).to.deep.equal([1, 0, 0, 0]);
  });

  it('when a whole batch fails, each has used a try', () => {
    const entries = batch('aba');
    failedWhole(entries, { disposition: 'retry', reason: 'down' }, { plan: PLAN, now: NOW });
    expect(entries.map(({ tries }) => tries)).to.deep.equal([1, 1, 1]);
  });

  it('retries or age used up, and a refusal, halt the sink and name the record', () => {
    const [entry] = batch('a');
    const strict = { ...PLAN, maxRetries: 0 };
    expect(answered(entry ? [entry] : [], { failed: [failed(0)] }, strict, NOW).halt?.reason).to.contain('maximumRetryAttempts');
    const old = { ...PLAN, maxAgeMs: 60_000 };
    expect(answered(batch('a'), { failed: [failed(0)] }, old, NOW + 61_000).halt?.reason).to.contain('maximumRecordAge');
    expect(answered(batch('a'), { failed: [failed(0, 'reject')] }, PLAN, NOW).halt?.entry?.ordinal).to.equal(1);
  });

  it('an index outside the batch is a broken connector: nothing counts as durable', () => {
    const verdict = answered(batch('ab'), { failed: [failed(2)] }, PLAN, NOW);
    expect(verdict.durable).to.deep.equal([]);
    expect(verdict.halt?.reason).to.contain('named record 2 of 2');
  });

  it('the wait doubles up to its cap, with full jitter', () => {
    expect(backoffMs(1, 10_000, 0.999)).to.be.closeTo(100, 1);
    expect(backoffMs(4, 10_000, 0.5)).to.equal(400);
    expect(backoffMs(50, 10_000, 0.999)).to.be.closeTo(10_000, 11);
    expect(backoffMs(5, 10_000, 0)).to.equal(0);
  });

  it('failures in a row are those of the lowest record, not of whoever fails', () => {
    const queue = keyQueue('a');
    expect([failedInRow(queue, 1), failedInRow(queue, 1), failedInRow(queue, 2)]).to.deep.equal([1, 2, 1]);
  });
});
