/** Holds all targets of a shop against what was written, and prints it: the numbers are the point of these tests as much as the verdict. */
import { expect } from 'chai';
import { columns } from '../run/demo-screen.ts';
import { heldAgainst, tablesAlike, type Verdict } from '../run/held-against.ts';
import type { OrderWriter } from '../run/order-writer.ts';
import { type KafkaWatch, readArchive, readKinesis, readTable } from '../run/read-back.ts';
import type { Shop } from './shop.ts';

export async function verdictsOf(shop: Shop, history: OrderWriter['history'], kafka: KafkaWatch): Promise<readonly Verdict[]> {
  const { places } = shop;
  const [source, replica, kinesis, topic, archive] = await Promise.all([
    readTable(places.source),
    readTable(places.replica),
    readKinesis(places.kinesis),
    kafka.finish(),
    readArchive(places.s3),
  ]);
  return [
    tablesAlike(source, replica, { name: 'replica', lagMs: [] }),
    heldAgainst(history, kinesis, { name: 'Kinesis', exactlyOnce: false }),
    heldAgainst(history, topic, { name: 'Kafka', exactlyOnce: false }),
    heldAgainst(history, archive, { name: 'archive', exactlyOnce: true }),
  ];
}

/** Nothing is lost or out of order, the archive has each change once, the replica is the source item for item. Duplicates are shown. */
export function expectComplete(verdicts: readonly Verdict[]): void {
  print([
    ['target', 'records', 'missing', 'out of order', 'duplicates', 'verdict'],
    ...verdicts.map(({ target, records, missing, outOfOrder, duplicates, ok }) => [
      target,
      ...[records, missing, outOfOrder, duplicates].map(String),
      ok ? 'complete' : 'DIFFERS',
    ]),
  ]);
  expect(verdicts.filter(({ ok }) => !ok).map(({ target, example }) => `${target}: ${example}`)).eql([]);
}

/** A table under the test's name. */
export function print(rows: readonly (readonly string[])[]): void {
  for (const line of columns(rows)) console.log(`        ${line}`);
}
