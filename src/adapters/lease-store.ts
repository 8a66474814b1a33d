/**
 * Lease rows in a DynamoDB table. It has a client of its own, without retries: who holds a lease retries with the same bytes, and must hear soon.
 * Everything is read consistently; every change is conditional on owner and counter and raises the counter.
 */
import type { AttributeValue, Item } from '../model/item.ts';
import type { Ms } from '../model/units.ts';
import { type LeaseAnswer, type LeaseChange, type LeaseRow, type LeaseStore, partsOfLeaseKey } from '../ports/lease-store.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import { changedAttributes, leaseRow, newLeaseItem } from './lease-store-rows.ts';
import { prepareStateTable, type StateTable } from './state-table.ts';
import { timedTable } from './timed-table.ts';

/** Of one write; a page of a scan may take longer. */
const WRITE_MS: Ms = 1_000;
const SCAN_PAGE_MS: Ms = 5_000;

export function leaseStore(state: StateTable): LeaseStore {
  const TableName = state.name;
  const quick = timedTable(state.table, state.clock, WRITE_MS);
  const patient = timedTable(state.table, state.clock, SCAN_PAGE_MS);
  return {
    prepare: signal => prepareStateTable({ ...state, table: patient }, { key: ['leaseKey'] }, signal),

    async scan(signal) {
      const rows: LeaseRow[] = [];
      let from: Item | undefined;
      do {
        const page = await patient.call('Scan', { TableName, ConsistentRead: true, ...(from && { ExclusiveStartKey: from }) }, signal);
        for (const item of page.Items) {
          const row = leaseRow(item);
          if (row !== undefined) rows.push(row);
        }
        from = page.LastEvaluatedKey;
      } while (from !== undefined);
      return rows;
    },

    async read(key, signal) {
      const { Item } = await quick.call('GetItem', { TableName, Key: keyItem(key), ConsistentRead: true }, signal);
      return Item && leaseRow(Item);
    },

    async create(row, signal) {
      const ConditionExpression = 'attribute_not_exists(leaseKey)';
      const outcome = await attempt(quick.call('PutItem', { TableName, Item: newLeaseItem(row), ConditionExpression }, signal));
      return outcome.held ? 'created' : 'exists';
    },

    async write(seen, change, signal): Promise<LeaseAnswer> {
      const request = { TableName, Key: keyItem(seen.key), ...update(seen, change), ReturnValues: 'ALL_NEW' } as const;
      const outcome = await attempt(quick.call('UpdateItem', request, signal));
      const item = outcome.held ? outcome.answer.Attributes : outcome.item;
      const row = item && leaseRow(item);
      if (!outcome.held) return row === undefined ? { is: 'refused' } : { is: 'refused', row };
      if (row === undefined) throw new Error(`no lease came back from a write to ${partsOfLeaseKey(seen.key).shardId}`);
      return { is: 'written', row };
    },

    async remove(seen, signal) {
      const { condition, names, values } = asSeen(seen);
      const outcome = await attempt(
        quick.call(
          'DeleteItem',
          {
            TableName,
            Key: keyItem(seen.key),
            ConditionExpression: `${condition} AND #checkpoint = :checkpoint`,
            ExpressionAttributeNames: { ...names, '#checkpoint': 'checkpoint' },
            ExpressionAttributeValues: { ...values, ':checkpoint': { S: seen.checkpoint } },
          },
          signal,
        ),
      );
      return outcome.held ? 'removed' : 'refused';
    },
  };
}

function keyItem(key: string): Item {
  return { leaseKey: { S: key } };
}

function asSeen(seen: LeaseRow) {
  const condition = 'leaseCounter = :seen AND ';
  const names = { '#owner': 'leaseOwner' };
  const values: Item = { ':seen': { N: String(seen.counter) } };
  if (seen.owner === undefined) return { condition: `${condition}attribute_not_exists(#owner)`, names, values };
  return { condition: `${condition}#owner = :owner`, names, values: { ...values, ':owner': { S: seen.owner } } };
}

/** The same arguments give the same bytes: a repeat of a write that was applied can only be refused. */
function update(seen: LeaseRow, change: LeaseChange) {
  const { condition, names, values } = asSeen(seen);
  const sets: string[] = [];
  const removes: string[] = [];
  const moreNames: [string, string][] = [];
  const moreValues: [string, AttributeValue][] = [];
  for (const [attribute, value] of changedAttributes(seen, change)) {
    const at = moreNames.length;
    moreNames.push([`#a${at}`, attribute]);
    if (value === undefined) removes.push(`#a${at}`);
    else {
      sets.push(`#a${at} = :a${at}`);
      moreValues.push([`:a${at}`, value]);
    }
  }
  return {
    UpdateExpression: `SET ${sets.join(', ')}${removes.length > 0 ? ` REMOVE ${removes.join(', ')}` : ''}`,
    ConditionExpression: condition,
    ExpressionAttributeNames: { ...names, ...Object.fromEntries(moreNames) },
    ExpressionAttributeValues: { ...values, ...Object.fromEntries(moreValues) },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  } as const;
}

type Outcome<T> = { readonly held: true; readonly answer: T } | { readonly held: false; readonly item?: Item };

/** Whether the condition held; if not, with the item as it is, where one came back. */
async function attempt<T>(call: Promise<T>): Promise<Outcome<T>> {
  try {
    return { held: true, answer: await call };
  } catch (error) {
    if (!(error instanceof ServiceFault) || error.class !== 'condition') throw error;
    const item = error.answer['Item'];
    return item === undefined ? { held: false } : { held: false, item: item as Item };
  }
}
