/** Cases about targets that fail: nothing is called durable that is not, the fault is judged rightly, and after it all goes on. */
import { expect } from 'chai';
import type { SinkFault, Traits } from '../../../src/connector.ts';
import type { ChangeRecord } from '../../../src/model/change-record.ts';
import { batchOf, manyChanges, suiteKey } from '../../fakes/records.ts';
import { type SinkBench, sinkCase } from './bench.ts';
import { cutBatch } from './delivery.ts';
import { outcomeWithin } from './pause.ts';
import { FAULT_NAMES, type FaultName, type SinkCase, type SinkSuite } from './suite.ts';

/** How long a write may take before the suite aborts it. */
const PATIENCE_MS = 1_000;

export function faultCases<Options>(suite: SinkSuite<Options>): SinkCase[] {
  const partial =
    suite.promises.partialFailure === 'by-index' ? 'names the failed records, and only them' : 'reports a failed batch as such';
  const cases: Readonly<Partial<Record<FaultName, readonly [string, (bench: SinkBench<Options>) => Promise<void>]>>> = {
    refuse: ['calls nothing durable while the target cannot be reached', bench => failsAndHeals(bench, 'refuse')],
    loseAnswers: ['does not call durable what it got no answer for, and can write it again', bench => failsAndHeals(bench, 'loseAnswers')],
    throttle: ['asks for a retry when the target asks to slow down, and counts it', isThrottled],
    failRecords: [partial, failsSome],
    deny: ['halts without a permission, names it, and goes on once it is granted', bench => haltsAndHeals(bench, 'deny')],
    remove: ['halts without its target, names it, and goes on once it is there', bench => haltsAndHeals(bench, 'remove')],
  };
  return FAULT_NAMES.flatMap(name => {
    const [title, run] = cases[name] ?? [];
    return title === undefined || run === undefined || suite.cannot[name] !== undefined ? [] : [sinkCase(suite, title, run)];
  });
}

/** A few changes that are there before the fault, so that connections are open; then those that meet it. */
async function beforeTheFault<Options>(bench: SinkBench<Options>): Promise<ReturnType<typeof batchOf>> {
  manyChanges(bench.script, 10, 3);
  await bench.deliver();
  for (const text of ['a', 'b', 'c']) bench.script.put(suiteKey(text), { in: { S: 'the fault' } });
  return batchOf(cutBatch(bench.script.records.slice(10), bench.cut));
}

async function failsAndHeals<Options>(bench: SinkBench<Options>, name: 'refuse' | 'loseAnswers'): Promise<void> {
  const batch = await beforeTheFault(bench);
  await bench.fault(name);
  const fault = await bench.failing(batch, PATIENCE_MS);
  expect(fault.disposition, fault.message).to.equal('retry');
  await bench.heal();
  await bench.deliver(bench.script.records.slice(10));
  await bench.expectArrived(name === 'refuse' ? 'once' : bench.timesAfterReplay);
}

async function isThrottled<Options>(bench: SinkBench<Options>): Promise<void> {
  const batch = await beforeTheFault(bench);
  await bench.fault('throttle');
  const fault = await bench.failing(batch, PATIENCE_MS);
  expect(fault.disposition, fault.message).to.equal('retry');
  expect(bench.host.counted('throttle'), 'throttles counted').to.be.greaterThan(0);
  await bench.heal();
  await bench.deliver(bench.script.records.slice(10));
  await bench.expectArrived('once');
}

async function failsSome<Options>(bench: SinkBench<Options>): Promise<void> {
  manyChanges(bench.script, 60, 6);
  const batch = batchOf(cutBatch(bench.script.records, bench.cut));
  const victim = batch.records[Math.floor(batch.records.length / 2)] ?? batch.records[0];
  if (victim === undefined) throw new Error('an empty batch');
  await bench.fault('failRecords', [victim]);
  const outcome = await outcomeWithin(bench.write(batch), 10_000);
  const failed = outcome !== 'pending' && 'value' in outcome ? outcome.value.failed : [];
  if (bench.suite.promises.partialFailure === 'by-index') {
    const at = batch.records.indexOf(victim);
    const due = batch.records.flatMap((record, index) =>
      index === at || (index > at && isHeldBy(victim, record, bench.traits)) ? [index] : [],
    );
    expect(failed.map(({ index }) => index).toSorted((a, b) => a - b)).to.deep.equal(due);
    await bench.expectArrived(
      'once',
      batch.records.filter((_, index) => !due.includes(index)),
    );
  } else if (outcome === 'pending' || 'value' in outcome) {
    expect(
      failed.map(({ index }) => index),
      'the record that failed',
    ).to.include(batch.records.indexOf(victim));
  }
  await bench.heal();
  await bench.deliver(
    bench.script.records.filter(
      it => !batch.records.includes(it) || failed.some(({ index }) => batch.records[index] === it) || failed.length === 0,
    ),
  );
  await bench.expectArrived(failed.length > 0 ? 'once' : bench.timesAfterReplay);
}

/** Whether a later record fails with an earlier one. */
function isHeldBy(victim: ChangeRecord, { key }: ChangeRecord, { order }: Traits): boolean {
  return order === 'partition' || (order === 'key' && key === victim.key);
}

async function haltsAndHeals<Options>(bench: SinkBench<Options>, name: 'deny' | 'remove'): Promise<void> {
  const batch = await beforeTheFault(bench);
  await bench.fault(name);
  expectHalt(bench, name, await bench.failing(batch, PATIENCE_MS));
  await bench.close();
  const opened = await outcomeWithin(bench.open(), 10_000);
  if (opened !== 'pending' && 'error' in opened) expectHalt(bench, name, opened.error as SinkFault);
  else expectHalt(bench, name, await bench.failing(batch, PATIENCE_MS));
  await bench.heal();
  await bench.open();
  // A target that was removed is empty now.
  const records = name === 'remove' ? bench.script.records : bench.script.records.slice(10);
  await bench.deliver(records, name === 'remove' ? Date.now() : 0);
  await bench.expectArrived('once');
}

function expectHalt<Options>({ target }: SinkBench<Options>, name: FaultName, fault: SinkFault): void {
  expect([fault.disposition, fault.heals], `${fault.name}: ${fault.message}`).to.deep.equal(['halt', true]);
  if (target.resource !== undefined) expect(fault.message).to.include(target.resource);
  if (name === 'deny' && target.action !== undefined) expect(fault.message).to.include(target.action);
}
