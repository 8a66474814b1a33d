/**
 * A Kinesis Client Library application's tables, read and taken over. The versions keep what they know of their workers in different places: 1.x and 2.x
 * nowhere, 3.0 to 3.4 in two tables beside the lease table, 3.5 in rows of other kinds in the lease table itself.
 */
import type { Item } from '../model/item.ts';
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { Adoption, KclLease, KclLook, KclTable } from '../ports/kcl-table.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { TableApi } from '../ports/table-api.ts';
import { number, text } from './attribute-values.ts';
import { streamOfName } from './lease-names.ts';
import { leaseRow, positionItems } from './lease-store-rows.ts';
import { allItems } from './table-pages.ts';
import { timedTable } from './timed-table.ts';

const CALL_MS: Ms = 5_000;

export function kclTable({ table, name, clock }: { table: TableApi; name: string; clock: Clock }): KclTable {
  const api = timedTable(table, clock, CALL_MS);
  return {
    name,
    check: signal => check(api, name, signal),
    look: async signal => {
      const beside = [`${name}-WorkerMetricStats`, `${name}-CoordinatorState`].map(other => ifThere(scanned(api, other, signal)));
      const [items, ...more] = await Promise.all([scanned(api, name, signal), ...beside]);
      return lookAt(items, more.flat());
    },
    adopt: (seen, adoption, signal) => adopt(api, { name, seen, adoption }, signal),
  };
}

async function check(api: TableApi, name: string, signal: AbortSignal): Promise<'there' | 'missing' | 'other'> {
  try {
    const { KeySchema } = (await api.call('DescribeTable', { TableName: name }, signal)).Table;
    return KeySchema.length === 1 && KeySchema[0]?.AttributeName === 'leaseKey' ? 'there' : 'other';
  } catch (error) {
    if (error instanceof ServiceFault && error.class === 'missing') return 'missing';
    throw error;
  }
}

async function scanned(api: TableApi, name: string, signal: AbortSignal): Promise<readonly Item[]> {
  const scan = { TableName: name, ConsistentRead: true };
  return allItems(from => api.call('Scan', { ...scan, ...from }, signal));
}

/** Tables that only some versions have, and that whoever granted access to the lease table may not have thought of: counters tell of life too. */
async function ifThere(items: Promise<readonly Item[]>): Promise<readonly Item[]> {
  try {
    return await items;
  } catch (error) {
    if (error instanceof ServiceFault && (error.class === 'missing' || error.class === 'denied')) return [];
    throw error;
  }
}

function lookAt(items: readonly Item[], beside: readonly Item[]): KclLook {
  const all = [...items, ...beside];
  const leader = all.map(leaderOf).find(found => found !== undefined);
  return { leases: items.flatMap(kclLease), workers: all.flatMap(reportOf), ...(leader && { leader }) };
}

function kclLease(item: Item): readonly KclLease[] {
  const key = text(item['leaseKey']);
  const row = key === undefined ? undefined : leaseRow(item, key);
  if (key === undefined || row === undefined) return [];
  const checkpointOwner = text(item['checkpointOwner']);
  const streamArn = text(item['streamArn']);
  return [
    {
      ...streamOfName(key),
      ...(streamArn !== undefined && { streamArn }),
      key,
      shardId: key.slice(key.lastIndexOf(':') + 1),
      ...(row.owner !== undefined && { owner: row.owner }),
      ...(checkpointOwner !== undefined && { checkpointOwner }),
      counter: row.counter,
      checkpoint: row.checkpoint,
      parents: row.parents,
      positions: row.positions,
      isOurs: number(item['tidemarkCounter']) === row.counter,
    },
  ];
}

function reportOf(item: Item): KclLook['workers'] {
  const worker = text(item['wid']) ?? (text(item['entityType']) === 'WORKER_METRIC_STATS' ? text(item['leaseKey']) : undefined);
  const seconds = number(item['lut']);
  return worker === undefined || seconds === undefined ? [] : [{ worker, reportedAt: seconds * 1000 }];
}

function leaderOf(item: Item): KclLook['leader'] {
  const version = text(item['recordVersionNumber']);
  const key = text(item['leaseKey']) ?? text(item['key']);
  if (key !== 'Leader' || version === undefined) return undefined;
  return { worker: text(item['ownerName']) ?? 'of an unknown name', version };
}

interface Adopting {
  readonly name: string;
  readonly seen: KclLease;
  readonly adoption: Adoption;
}

/** Everything that is not named stays: what newer versions of that library keep in a row is theirs. */
async function adopt(api: TableApi, { name, seen, adoption }: Adopting, signal: AbortSignal): Promise<'adopted' | 'refused'> {
  const counter = { N: String(seen.counter + 1) };
  const owner = seen.owner === undefined ? 'attribute_not_exists(leaseOwner)' : 'leaseOwner = :owner';
  const ended = adoption.endedAt === undefined ? undefined : { ':ended': { N: String(adoption.endedAt) } };
  const request = {
    TableName: name,
    Key: { leaseKey: { S: seen.key } },
    UpdateExpression: `SET leaseCounter = :next, tidemarkCounter = :next, streamArn = :arn, positions = :positions${ended ? ', endedAt = :ended' : ''} REMOVE leaseOwner, checkpointOwner`,
    ConditionExpression: `leaseCounter = :seen AND checkpoint = :checkpoint AND ${owner}`,
    ExpressionAttributeValues: {
      ':next': counter,
      ':arn': { S: adoption.streamArn },
      ':positions': { M: positionItems(adoption.positions) },
      ':seen': { N: String(seen.counter) },
      ':checkpoint': { S: seen.checkpoint },
      ...(seen.owner !== undefined && { ':owner': { S: seen.owner } }),
      ...ended,
    },
  };
  try {
    await api.call('UpdateItem', request, signal);
    return 'adopted';
  } catch (error) {
    if (error instanceof ServiceFault && error.class === 'condition') return 'refused';
    throw error;
  }
}
