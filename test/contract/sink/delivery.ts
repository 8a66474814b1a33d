/**
 * A pipeline small enough to see through: cuts batches as a connector's traits ask for, gives failed records again in order, and checks every answer
 * against the contract on the way. What a connector is tested with must not be the pipeline that relies on it.
 */
import { expect } from 'chai';
import { type Batch, type Failed, type Sink, SinkFault, type Traits, type Written } from '../../../src/connector.ts';
import type { ChangeRecord } from '../../../src/model/change-record.ts';
import { compareTokens } from '../../../src/model/position.ts';
import type { EpochMs } from '../../../src/model/units.ts';
import { batchOf } from '../../fakes/records.ts';
import { pause } from './pause.ts';

export interface Delivered {
  /** Records that were refused for good, and why. */
  readonly rejected: ReadonlyMap<ChangeRecord, Failed>;
  readonly superseded: number;
  readonly writes: number;
}

export type WriteBatch = (batch: Batch) => Promise<Written>;

export interface Delivery {
  readonly traits: Traits;
  readonly group: ((record: ChangeRecord) => string) | undefined;
  readonly write: WriteBatch;
  readonly replayedBefore?: EpochMs;
}

/** Fruitless writes in a row after which a delivery is given up. */
const PATIENCE = 50;

/** Writes all records, each again until it is durable or refused. */
export async function deliver(records: readonly ChangeRecord[], delivery: Delivery): Promise<Delivered> {
  const rejected = new Map<ChangeRecord, Failed>();
  let open = [...records];
  let superseded = 0;
  let writes = 0;
  for (let fruitless = 0; open.length > 0; writes += 1) {
    const batch = cutBatch(open, delivery);
    const outcome = await tried(batch, delivery);
    if ('fault' in outcome && (outcome.fault.disposition !== 'retry' || fruitless === PATIENCE)) throw outcome.fault;
    const { done, refused } = 'fault' in outcome ? NOTHING_DONE : settled(batch, outcome.written);
    const { through } = 'fault' in outcome ? {} : outcome.written;
    superseded += 'fault' in outcome ? 0 : (outcome.written.superseded ?? 0);
    for (const [record, failure] of refused) rejected.set(record, failure);
    const left = open.filter(it => !done.has(it) && !rejected.has(it) && !(through && compareTokens(it.token, through) <= 0));
    fruitless = left.length < open.length ? 0 : fruitless + 1;
    if (fruitless > PATIENCE) throw new Error(`no progress after ${PATIENCE} writes: ${JSON.stringify(outcome)}`);
    if (fruitless > 0) await pause(20);
    open = left;
  }
  return { rejected, superseded, writes };
}

const NOTHING_DONE = { done: new Set<ChangeRecord>(), refused: new Map<ChangeRecord, Failed>() };

async function tried(
  batch: readonly ChangeRecord[],
  { write, replayedBefore }: Delivery,
): Promise<{ written: Written } | { fault: SinkFault }> {
  try {
    return { written: await write(batchOf(batch, replayedBefore)) };
  } catch (error) {
    return { fault: error instanceof SinkFault ? error : new SinkFault('retry', String(error), { cause: error }) };
  }
}

function settled(batch: readonly ChangeRecord[], { failed, through }: Written) {
  const failures = new Map(failed.map(failure => [batch[failure.index], failure] as const));
  const done = new Set(batch.filter(it => !failures.has(it) && (through === undefined || compareTokens(it.token, through) <= 0)));
  const refused = new Map<ChangeRecord, Failed>();
  for (const [record, failure] of failures) {
    if (record && failure.disposition === 'halt') throw new SinkFault('halt', failure.reason);
    if (record && failure.disposition === 'reject') refused.set(record, failure);
  }
  return { done, refused };
}

/** The next batch: as large as the traits allow, no two groups, no record before an earlier one of its key. */
export function cutBatch(open: readonly ChangeRecord[], { traits, group }: Pick<Delivery, 'traits' | 'group'>): ChangeRecord[] {
  const batch: ChangeRecord[] = [];
  const held = new Set<string>();
  const taken = new Set<string>();
  let bytes = 0;
  for (const record of open) {
    const [first] = batch;
    const fits = first === undefined || (batch.length < traits.batch.records && bytes + record.bytes <= traits.batch.bytes);
    if (!fits) break;
    const waits = held.has(record.key) || (traits.oncePerKey && taken.has(record.key)) || (first && group?.(first) !== group?.(record));
    if (waits && traits.order === 'partition') break;
    if (waits) {
      held.add(record.key);
      continue;
    }
    batch.push(record);
    taken.add(record.key);
    bytes += record.bytes;
  }
  return batch;
}

/** What holds for every answer, whatever the target. */
export function checkAnswer(batch: Batch, { failed, superseded = 0 }: Written, order: Traits['order']): void {
  const indexes = failed.map(({ index }) => index);
  expect(new Set(indexes).size, 'each failed record is named once').to.equal(indexes.length);
  for (const { index, disposition, reason } of failed) {
    expect(batch.records[index], `the batch has a record ${index}`).to.not.equal(undefined);
    expect(disposition).to.be.oneOf(['retry', 'reject', 'halt']);
    expect(reason, 'a reason is one line of text').to.match(/^[^\n]{3,}$/);
  }
  expect(superseded, 'superseded').to.be.within(0, batch.records.length - failed.length);
  if (order === 'none') return;
  const failedKeys = new Set<string>();
  for (const [index, { key }] of batch.records.entries()) {
    if (indexes.includes(index)) failedKeys.add(key);
    else expect(failedKeys.has(key), `record ${index} counts as durable though an earlier one of its key failed`).to.equal(false);
  }
}

/** Whether every record of the batch is said to be durable. */
export function allDurable(batch: Batch, { failed, through }: Written): boolean {
  const last = batch.records.at(-1);
  return failed.length === 0 && (through === undefined || (last !== undefined && compareTokens(last.token, through) <= 0));
}

/** Runs a write into a bench's sink. */
export function writeInto(sink: Sink, order: Traits['order']): (batch: Batch, signal: AbortSignal) => Promise<Written> {
  return async (batch, signal) => {
    const written = await sink.write(batch, signal);
    checkAnswer(batch, written, order);
    return written;
  };
}
