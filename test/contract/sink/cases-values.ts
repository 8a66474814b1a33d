/** Cases about what is carried: every change, in order, every value and name, every view type. */
import { expect } from 'chai';
import type { ViewType } from '../../../src/model/change-record.ts';
import { manyChanges, ODD_ATTRIBUTES, suiteKey } from '../../fakes/records.ts';
import { type SinkBench, sinkCase } from './bench.ts';
import type { SinkCase, SinkSuite } from './suite.ts';

const VIEW_TYPES: readonly ViewType[] = ['NEW_AND_OLD_IMAGES', 'NEW_IMAGE', 'OLD_IMAGE', 'KEYS_ONLY'];

/** Texts of keys that programs trip over; DynamoDB takes up to 2,048 bytes. */
const ODD_KEYS = [
  '__proto__',
  'constructor',
  ' ',
  'a "b" \\ c',
  "it's",
  '#/?&%:|,{}',
  'line\nend',
  'ü',
  '漢'.repeat(600),
  'x'.repeat(2048),
];

export function valueCases<Options>(suite: SinkSuite<Options>): SinkCase[] {
  const { keeps, tombstones } = suite.promises;
  return [
    sinkCase(suite, 'delivers every change, in the order that it promises', deliversAll),
    sinkCase(suite, 'carries every kind of value exactly, under every sort of name', carriesOddValues),
    sinkCase(suite, 'carries every kind of key', carriesOddKeys),
    ...viewTypes(suite).map(viewType =>
      sinkCase(suite, `takes the changes of a stream with view type ${viewType}`, bench => takesView(bench, viewType)),
    ),
    ...(keeps === 'log'
      ? [sinkCase(suite, tombstones ? 'lets a tombstone follow each removal' : 'sends no tombstones', removesAndPutsAgain)]
      : []),
  ];
}

async function deliversAll<Options>(bench: SinkBench<Options>): Promise<void> {
  manyChanges(bench.script, 150, 7);
  const { rejected } = await bench.deliver();
  expect(rejected.size).to.equal(0);
  await bench.expectArrived('once');
}

async function carriesOddValues<Options>(bench: SinkBench<Options>): Promise<void> {
  const { script } = bench;
  const rest = Object.entries(ODD_ATTRIBUTES);
  script.put(suiteKey('all'), ODD_ATTRIBUTES);
  for (const [i, [name, value]] of rest.entries()) script.put(suiteKey('each', i), Object.fromEntries([[name, value]]));
  script.put(suiteKey('all'), Object.fromEntries(rest.toReversed().map(([name, value]) => [name, { L: [value] }])));
  script.put(suiteKey('all'), ODD_ATTRIBUTES);
  await bench.deliver();
  await bench.expectArrived('once');
}

async function carriesOddKeys<Options>(bench: SinkBench<Options>): Promise<void> {
  for (const text of ODD_KEYS) bench.script.put(suiteKey(text), { text: { S: text } });
  for (const n of ['0', '-1.5', '12345678901234567890123456789012345678', '1e125', '0.0000001'])
    bench.script.put({ pk: { S: 'n' }, sk: { N: n } });
  for (const text of ODD_KEYS.slice(0, 3)) bench.script.remove(suiteKey(text));
  await bench.deliver();
  await bench.expectArrived('once');
}

/** A target that keeps items needs new images. */
function viewTypes<Options>({ connector, sample }: SinkSuite<Options>): readonly ViewType[] {
  const needs = connector.needs?.(connector.schema.parse(sample)) ?? [];
  return needs.length === 0 ? VIEW_TYPES : needs;
}

async function takesView<Options>(bench: SinkBench<Options>, viewType: ViewType): Promise<void> {
  const source = { ...bench.script.source, viewType };
  const { script } = bench;
  for (const text of ['a', 'b', 'c']) script.put(suiteKey(text), { n: { N: '1' } }, source);
  script.put(suiteKey('a'), {}, source);
  script.put(suiteKey('b'), { n: { N: '2' } }, source);
  script.remove(suiteKey('c'), { type: 'Service', principalId: 'dynamodb.amazonaws.com' }, source);
  script.remove(suiteKey('b'), undefined, source);
  await bench.deliver();
  await bench.expectArrived('once');
}

async function removesAndPutsAgain<Options>(bench: SinkBench<Options>): Promise<void> {
  for (const text of ['a', 'b']) {
    bench.script.put(suiteKey(text));
    bench.script.remove(suiteKey(text));
  }
  bench.script.put(suiteKey('a'), { again: { BOOL: true } });
  await bench.deliver();
  await bench.expectArrived('once');
}
