/** Cases about batches: the largest ones, several at once, the same one twice, one record that does not fit. */
import { expect } from 'chai';
import type { ChangeRecord } from '../../../src/model/change-record.ts';
import { batchOf, manyChanges, suiteKey } from '../../fakes/records.ts';
import { type SinkBench, sinkCase } from './bench.ts';
import { allDurable, cutBatch, deliver } from './delivery.ts';
import type { SinkCase, SinkSuite } from './suite.ts';

/** DynamoDB's own limit of an item, less room for names. */
const LARGEST_TEXT_BYTES = 300_000;

export function batchCases<Options>(suite: SinkSuite<Options>): SinkCase[] {
  const { recordLimit, replay } = suite.promises;
  const { batch, inFlight } = suite.connector.traits(suite.connector.schema.parse(suite.sample));
  return [
    sinkCase(suite, `takes a batch of ${batch.records} records`, takesMostRecords),
    sinkCase(suite, `takes a batch of ${batch.bytes} bytes`, takesMostBytes),
    ...(inFlight > 1 ? [sinkCase(suite, `bears ${inFlight} writes at once`, bearsWritesAtOnce)] : []),
    sinkCase(suite, `takes the same batch twice: ${replay}`, takesReplay),
    'none' in recordLimit
      ? {
          title: `knows no record that is too large: ${recordLimit.none}`,
          run: async () => void expect(recordLimit.none).to.match(/\w{3}/),
        }
      : sinkCase(suite, 'refuses a record that is too large by size and limit, and takes its neighbours', bench =>
          refusesTooLarge(bench, recordLimit),
        ),
  ];
}

/** Puts of different keys until the next batch is as full as it can be, and that batch. */
function fullBatch<Options>(bench: SinkBench<Options>, textBytes: number): ChangeRecord[] {
  const { batch } = bench.traits;
  const text = 'x'.repeat(textBytes);
  let next: ChangeRecord[] = [];
  // Eight times as many: a batch takes records of one group only. It is looked at now and then, for that is linear.
  for (let n = 0; n < batch.records * 8; n += 1) {
    bench.script.put(suiteKey(`key ${n}`, n), { text: { S: text } });
    if (n % 50 < 49 && textBytes < 1000) continue;
    next = cutBatch(bench.script.records, bench.cut);
    const bytes = next.reduce((sum, record) => sum + record.bytes, next[0]?.bytes ?? 0);
    if (next.length === batch.records || bytes > batch.bytes) return next;
  }
  return cutBatch(bench.script.records, bench.cut);
}

async function takesMostRecords<Options>(bench: SinkBench<Options>): Promise<void> {
  await takesAtOnce(bench, fullBatch(bench, 1));
}

async function takesMostBytes<Options>(bench: SinkBench<Options>): Promise<void> {
  const { recordLimit } = bench.suite.promises;
  const fits = 'fits' in recordLimit ? recordLimit.fits : LARGEST_TEXT_BYTES;
  await takesAtOnce(bench, fullBatch(bench, Math.floor(Math.min(fits, LARGEST_TEXT_BYTES, bench.traits.batch.bytes / 4))));
}

async function takesAtOnce<Options>(bench: SinkBench<Options>, records: readonly ChangeRecord[]): Promise<void> {
  const batch = batchOf(records);
  const written = await bench.write(batch);
  expect(allDurable(batch, written), `a full batch is durable at once: ${JSON.stringify(written.failed.slice(0, 3))}`).to.equal(true);
  await bench.expectArrived('once', records);
}

/** Keys are dealt to as many lanes as writes may be in flight; a group stays in one lane. */
async function bearsWritesAtOnce<Options>(bench: SinkBench<Options>): Promise<void> {
  manyChanges(bench.script, 400, 40);
  const { group } = bench.cut;
  const names = new Map<string, number>();
  const lanes = Map.groupBy(bench.script.records, record => {
    const name = group?.(record) ?? record.key;
    const lane = names.get(name) ?? names.size % bench.traits.inFlight;
    names.set(name, lane);
    return lane;
  });
  await Promise.all([...lanes.values()].map(records => deliver(records, { ...bench.cut, write: batch => bench.write(batch) })));
  await bench.expectArrived('once');
}

async function takesReplay<Options>(bench: SinkBench<Options>): Promise<void> {
  const { script, suite } = bench;
  manyChanges(script, 40, 5);
  await bench.deliver();
  await bench.deliver(script.records, Date.now());
  // Where a repeated write is harmless, so is one of what has been overtaken.
  if (suite.promises.replay === 'harmless') await bench.deliver(script.records.slice(0, 20), Date.now());
  await bench.expectArrived(bench.timesAfterReplay);
  script.put(suiteKey('k1', 1), { after: { S: 'the replay' } });
  await bench.deliver(script.records.slice(-1));
  await bench.expectArrived(bench.timesAfterReplay);
}

async function refusesTooLarge<Options>(bench: SinkBench<Options>, limit: { fits: number; tooLarge: number }): Promise<void> {
  const { script } = bench;
  const small = script.put(suiteKey('a'), { n: { N: '1' } });
  const large = script.put(suiteKey('b'), { text: { S: 'x'.repeat(limit.tooLarge) } });
  const fits = script.put(suiteKey('c'), { text: { S: 'x'.repeat(limit.fits) } });
  const last = script.put(suiteKey('d'), { n: { N: '2' } });
  const { rejected } = await bench.deliver([small, large, fits, last]);
  expect([...rejected.keys()].map(({ token }) => token)).to.deep.equal([large.token]);
  const reason = rejected.get(large)?.reason ?? '';
  expect(reason.match(/\d[\d,.]*/g) ?? [], `"${reason}" names size and limit`).to.have.length.of.at.least(2);
  await bench.expectArrived('once', [small, fits, last]);
}
