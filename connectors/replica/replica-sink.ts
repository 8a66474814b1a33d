/**
 * The open sink: a batch is sorted into lanes by key, of each lane the highest version is written, all lanes at the same time. Which requests that takes
 * is the writer's affair; what the outcomes mean for every record of the batch is settled here.
 */
import { type Batch, type Failed, type Host, type Sink, SinkFault, type Written } from '../../src/connector.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import { judged } from './judge.ts';
import { type Lane, laneName, lanesOf, winnerOf } from './lanes.ts';
import type { Options } from './options.ts';
import { type Outcome, outcomeOf } from './outcomes.ts';
import type { Target, Targets } from './targets.ts';
import type { Work, Writer } from './work.ts';

export interface SinkParts {
  readonly options: Options;
  readonly host: Host;
  readonly targets: Targets;
  readonly writer: Writer;
  /** Before each batch: what it needs is there, else a fault. */
  readonly prepare: (batch: Batch, signal: AbortSignal) => Promise<void>;
  /** The source is written by a replicator too. */
  readonly metOurs: (record: ChangeRecord) => void;
}

interface Tally {
  readonly failed: Failed[];
  superseded: number;
  conflicts: number;
  throttled: number;
}

export function batchWrite(parts: SinkParts): Sink['write'] {
  return async (batch, signal) => {
    const targets = await prepared(batch, parts, signal);
    const tally: Tally = { failed: [], superseded: 0, conflicts: 0, throttled: 0 };
    const now = parts.host.clock.now();
    let open = lanesOf(batch.records, record => {
      const reading = judged(record, targetOf(targets, record.source.table).rules, now, parts.options);
      if (reading.is === 'ours') parts.metOurs(record);
      return reading;
    });
    for (const lane of open) settleAtOnce(lane, tally);
    // A second round only where the target refused a change for good: then the best of the ones before it is written.
    while (open.length > 0) open = await writeRound(open, tally, { parts, targets, batch, signal });
    if (signal.aborted && tally.failed.length === batch.records.length)
      throw new SinkFault('retry', 'the write was given up before anything was done');
    return closed(tally, parts.host);
  };
}

/** What can be missing is said before anything is written. */
async function prepared(batch: Batch, { targets, prepare }: SinkParts, signal: AbortSignal): Promise<ReadonlyMap<string, Target>> {
  try {
    await prepare(batch, signal);
    const found = new Map<string, Target>();
    for (const record of batch.records) {
      if (!found.has(record.source.table)) found.set(record.source.table, await targets.of(record, signal));
    }
    return found;
  } catch (error) {
    const outcome = outcomeOf(error, { action: 'DescribeTable', table: 'of this sink' });
    throw outcome.is === 'halted' ? outcome.fault : error;
  }
}

interface Round {
  readonly parts: SinkParts;
  readonly targets: ReadonlyMap<string, Target>;
  readonly batch: Batch;
  readonly signal: AbortSignal;
}

async function writeRound(lanes: readonly Lane[], tally: Tally, { parts, targets, batch, signal }: Round): Promise<Lane[]> {
  const work: Work[] = [];
  const worked: Lane[] = [];
  for (const lane of lanes) {
    const [first] = lane.changes;
    if (first === undefined) continue;
    const target = targetOf(targets, first.record.source.table);
    const change = winnerOf(lane, target.rules.compare) ?? first;
    work.push({ change, target, place: laneName(change.record), replayedBefore: batch.replayedBefore });
    worked.push(lane);
  }
  const outcomes = await parts.writer.write(work, signal);
  const halt = outcomes.find(outcome => outcome.is === 'halted');
  if (halt?.is === 'halted') throw halt.fault;
  return worked.flatMap((lane, i) => {
    const [each, outcome] = [work[i], outcomes[i]];
    if (each === undefined || outcome === undefined) throw new Error('a change without an outcome');
    return settle(lane, each, outcome, tally) ?? [];
  });
}

/** The lane that is left when the target refused its winner: the changes before it. */
function settle(lane: Lane, { change }: Work, outcome: Outcome, tally: Tally): Lane | undefined {
  if (outcome.is === 'halted') throw outcome.fault;
  if (outcome.is !== 'failed') {
    tally.superseded += lane.settled.length + lane.changes.length - (outcome.is === 'written' ? 1 : 0);
    if (outcome.is === 'superseded' && outcome.conflict) tally.conflicts += 1;
    return undefined;
  }
  if (outcome.throttled) tally.throttled += 1;
  tally.failed.push({ index: change.index, disposition: outcome.disposition, reason: outcome.reason });
  const rejected = outcome.disposition === 'reject';
  // Those that it would have settled are not durable without it; nothing of the key may be done after one that is not.
  const from = rejected ? change.index : Math.min(...lane.changes.map(each => each.index));
  const { changes, settled } = lane;
  for (const index of [...changes.map(each => each.index), ...settled]) {
    if (index >= from && index !== change.index) tally.failed.push(waiting(index));
  }
  const left = { changes: changes.filter(each => each.index < from), settled: settled.filter(index => index < from), waiting: [] };
  if (left.changes.length > 0) return left;
  tally.superseded += left.settled.length;
  return undefined;
}

/** What a lane holds beside the changes that compete. */
function settleAtOnce(lane: Lane, tally: Tally): void {
  if (lane.changes.length === 0) tally.superseded += lane.settled.length;
  if (lane.refused) tally.failed.push({ ...lane.refused, disposition: 'reject' });
  for (const index of lane.waiting) tally.failed.push(waiting(index));
}

function waiting(index: number): Failed {
  return { index, disposition: 'retry', reason: 'it waits for another change of its key' };
}

function closed({ failed, superseded, conflicts, throttled }: Tally, host: Host): Written {
  if (conflicts > 0) host.count('conflict', conflicts);
  if (throttled > 0) host.count('throttle', throttled);
  return { failed: failed.sort((a, b) => a.index - b.index), superseded };
}

function targetOf(targets: ReadonlyMap<string, Target>, sourceTable: string): Target {
  const target = targets.get(sourceTable);
  if (!target) throw new SinkFault('retry', `no target for table ${sourceTable}`);
  return target;
}
