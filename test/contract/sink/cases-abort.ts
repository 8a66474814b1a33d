/** Cases about aborts: a write settles soon, nothing of it reaches the target afterwards, and whatever was cut off can be written again. */
import { expect } from 'chai';
import { ABORT_MS } from '../../../src/model/delivery.ts';
import { batchOf, manyChanges, suiteKey } from '../../fakes/records.ts';
import { type SinkBench, sinkCase } from './bench.ts';
import { cutBatch } from './delivery.ts';
import { outcomeWithin, pause } from './pause.ts';
import type { SinkCase, SinkSuite } from './suite.ts';

/** When a write is cut off, in ms after it began: before, in and after what a local target takes. */
const MOMENTS_MS = [0, 0, 1, 2, 3, 5, 8, 13, 21];

export function abortCases<Options>(suite: SinkSuite<Options>): SinkCase[] {
  return [
    sinkCase(suite, 'settles when it was aborted before it began, and sends nothing', abortedBefore),
    sinkCase(suite, 'may be aborted at any moment of a write, and is complete and in order afterwards', abortedAnywhere),
    ...(suite.cannot.hang === undefined
      ? [
          sinkCase(
            suite,
            'settles soon after an abort though the target hangs; then the target receives nothing more',
            abortedWhileHanging,
          ),
          sinkCase(suite, 'closes while the target hangs, and can be opened again', closedWhileHanging),
        ]
      : []),
  ];
}

async function abortedBefore<Options>(bench: SinkBench<Options>): Promise<void> {
  manyChanges(bench.script, 5, 5);
  const batch = batchOf(cutBatch(bench.script.records, bench.cut));
  const written = await outcomeWithin(bench.write(batch, AbortSignal.abort()), ABORT_MS);
  expect(written, 'settles').to.not.equal('pending');
  const isDurable = written !== 'pending' && 'value' in written && written.value.failed.length === 0;
  if (!isDurable) await bench.expectArrived('once', []);
  await bench.deliver(isDurable ? bench.script.records.slice(batch.records.length) : bench.script.records);
  await bench.expectArrived('once');
}

async function abortedAnywhere<Options>(bench: SinkBench<Options>): Promise<void> {
  for (const [round, ms] of MOMENTS_MS.entries()) {
    const before = bench.script.records.length;
    for (let i = 0; i < 20; i += 1) bench.script.put(suiteKey(`k${i % 4}`), { round: { N: String(round) } });
    const abort = new AbortController();
    const batch = batchOf(cutBatch(bench.script.records.slice(before), bench.cut));
    const write = bench.write(batch, abort.signal);
    await pause(ms);
    abort.abort();
    expect(await outcomeWithin(write, ABORT_MS), `settles after an abort at ${ms} ms`).to.not.equal('pending');
    // Nothing is known of the batch: it is written again.
    await bench.deliver(bench.script.records.slice(before), Date.now());
  }
  await bench.expectArrived(bench.timesAfterReplay);
}

async function abortedWhileHanging<Options>(bench: SinkBench<Options>): Promise<void> {
  manyChanges(bench.script, 10, 3);
  await bench.deliver();
  const held = bench.script.put(suiteKey('k1', 1), { in: { S: 'a write that hangs' } });
  await bench.fault('hang');
  const fault = await bench.failing(batchOf([held]), Math.max(200, bench.quietMs));
  expect(fault.disposition, fault.message).to.equal('retry');
  await bench.heal();
  await bench.expectArrived('once', bench.script.records.slice(0, 10));
  // A newer change of the same key must not be overtaken by what was aborted.
  bench.script.put(suiteKey('k1', 1), { after: { S: 'the abort' } });
  await bench.deliver(bench.script.records.slice(10), Date.now());
  await pause(4 * bench.quietMs);
  await bench.expectArrived('once');
}

async function closedWhileHanging<Options>(bench: SinkBench<Options>): Promise<void> {
  manyChanges(bench.script, 10, 3);
  await bench.deliver();
  bench.script.put(suiteKey('k1', 1), { in: { S: 'a write that hangs' } });
  await bench.fault('hang');
  const abort = new AbortController();
  const write = outcomeWithin(bench.write(batchOf(bench.script.records.slice(10)), abort.signal), 2 * ABORT_MS);
  await pause(Math.max(50, bench.quietMs));
  abort.abort();
  await bench.close();
  expect(await write, 'the write settles too').to.have.property('error');
  await bench.heal();
  await bench.open();
  await bench.deliver(bench.script.records.slice(10), Date.now());
  await bench.expectArrived('once');
}
