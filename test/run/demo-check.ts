/** The demo's verdict: every target read back with its own client and held against what was written, and the table that says so. */
import { columns } from './demo-screen.ts';
import { heldAgainst, tablesAlike, type Verdict } from './held-against.ts';
import type { OrderWriter } from './order-writer.ts';
import { type KafkaWatch, readArchive, readKinesis, readTable } from './read-back.ts';
import type { Places } from './world-settings.ts';

export async function checkTargets(
  places: Places,
  got: { history: OrderWriter['history']; kafka: KafkaWatch | undefined; replicaLagMs: readonly number[] },
): Promise<readonly Verdict[]> {
  const { history } = got;
  const source = await readTable(places.source);
  const replica = await readTable(places.replica);
  const verdicts = [tablesAlike(source, replica, { name: 'replica table', lagMs: got.replicaLagMs })];
  verdicts.push(heldAgainst(history, await readKinesis(places.kinesis), { name: 'Kinesis stream', exactlyOnce: false }));
  if (got.kafka) verdicts.push(heldAgainst(history, await got.kafka.finish(), { name: 'Kafka topic', exactlyOnce: false }));
  if (places.s3) verdicts.push(heldAgainst(history, await readArchive(places.s3), { name: 'S3 archive', exactlyOnce: true }));
  return verdicts;
}

export function summary(verdicts: readonly Verdict[], at: { written: number; leftOut: string | undefined }): string[] {
  const ms = (value: number | undefined) => (value === undefined ? '-' : `${Math.round(value)} ms`);
  const rows = verdicts.map(verdict => [
    verdict.target,
    String(verdict.records),
    String(verdict.missing),
    String(verdict.outOfOrder),
    String(verdict.duplicates),
    ms(verdict.p50Ms),
    ms(verdict.p99Ms),
    verdict.ok ? 'complete' : 'DIFFERS',
  ]);
  const head = ['target', 'records', 'missing', 'out of order', 'duplicates', 'lag p50', 'lag p99', 'verdict'];
  const wrong = verdicts.flatMap(({ target, example }) => (example === undefined ? [] : [`  ${target}: ${example}`]));
  const differences = verdicts.reduce((sum, verdict) => sum + verdict.differences, 0);
  return [
    ...columns([head, ...rows]).map(line => `  ${line}`),
    '',
    `${at.written} changes written, one SIGKILL, differences = ${differences}`,
    ...wrong,
    ...(at.leftOut ? [`${at.leftOut}.`] : []),
    'Lag is from the time in the item to the target (files wait for their time on purpose); duplicates are at-least-once after the kill.',
  ];
}
