/**
 * Lease rows in a DynamoDB table, under our own names or in a table taken over from the Kinesis Client Library (lease-names.ts). It has a client of its own, without retries: who holds a lease retries with the same bytes, and must hear soon.
 * Everything is read consistently; every change is conditional on owner and counter and raises the counter.
 */
import type { AttributeValue, Item } from '../model/item.ts';
import type { Ms } from '../model/units.ts';
import {
  type LeaseAnswer,
  type LeaseChange,
  type LeaseKey,
  type LeaseRow,
  type LeaseStore,
  type NewLease,
  partsOfLeaseKey,
} from '../ports/lease-store.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { TableApi } from '../ports/table-api.ts';
import { type LeaseNames, nativeNames } from './lease-names.ts';
import { changedAttributes, leaseRow, newLeaseItem } from './lease-store-rows.ts';
import { prepareStateTable, type StateTable } from './state-table.ts';
import { tablePages } from './table-pages.ts';
import { timedTable } from './timed-table.ts';

/** Of one write; a page of a scan may take longer. */
const WRITE_MS: Ms = 1_000;
const SCAN_PAGE_MS: Ms = 5_000;

export function leaseStore(state: StateTable, names: LeaseNames = nativeNames): LeaseStore {
  return new DynamoLeaseStore(state, names);
}

class DynamoLeaseStore implements LeaseStore {
  readonly #state: StateTable;
  readonly #quick: TableApi;
  readonly #patient: TableApi;
  readonly #names: LeaseNames;

  constructor(state: StateTable, names: LeaseNames) {
    this.#names = names;
    this.#quick = timedTable(state.table, state.clock, WRITE_MS);
    this.#patient = timedTable(state.table, state.clock, SCAN_PAGE_MS);
    this.#state = { ...state, table: this.#patient };
  }

  prepare(signal: AbortSignal): Promise<void> {
    return prepareStateTable(this.#state, { key: ['leaseKey'] }, signal);
  }

  async scan(signal: AbortSignal): Promise<readonly LeaseRow[]> {
    const rows: LeaseRow[] = [];
    const scan = { TableName: this.#state.name, ConsistentRead: true };
    for await (const items of tablePages(from => this.#patient.call('Scan', { ...scan, ...from }, signal))) {
      this.#names.learn(items);
      for (const item of items) {
        const row = this.#row(item);
        if (row !== undefined) rows.push(row);
      }
    }
    return rows;
  }

  async read(key: LeaseKey, signal: AbortSignal): Promise<LeaseRow | undefined> {
    const request = { TableName: this.#state.name, Key: this.#keyItem(key), ConsistentRead: true };
    const { Item } = await this.#quick.call('GetItem', request, signal);
    return Item && leaseRow(Item, key);
  }

  async create(row: NewLease, signal: AbortSignal): Promise<'created' | 'exists'> {
    const Item = { ...newLeaseItem(row), leaseKey: { S: this.#names.inTable(row.key) }, ...this.#names.made(row.key) };
    const request = { TableName: this.#state.name, Item, ConditionExpression: 'attribute_not_exists(leaseKey)' };
    const outcome = await attempt(this.#quick.call('PutItem', request, signal));
    return outcome.held ? 'created' : 'exists';
  }

  async write(seen: LeaseRow, change: LeaseChange, signal: AbortSignal): Promise<LeaseAnswer> {
    const changed = [...changedAttributes(seen, change), ...Object.entries(this.#names.marks(seen.key, seen.counter + 1))] as const;
    const Key = this.#keyItem(seen.key);
    const request = { TableName: this.#state.name, Key, ...update(seen, changed), ReturnValues: 'ALL_NEW' } as const;
    const outcome = await attempt(this.#quick.call('UpdateItem', request, signal));
    const item = outcome.held ? outcome.answer.Attributes : outcome.item;
    const row = item && leaseRow(item, seen.key);
    if (!outcome.held) return row === undefined ? { is: 'refused' } : { is: 'refused', row };
    if (row === undefined) throw new Error(`no lease came back from a write to ${partsOfLeaseKey(seen.key).shardId}`);
    return { is: 'written', row };
  }

  async remove(seen: LeaseRow, signal: AbortSignal): Promise<'removed' | 'refused'> {
    const { condition, names, values } = asSeen(seen);
    const request = {
      TableName: this.#state.name,
      Key: this.#keyItem(seen.key),
      ConditionExpression: `${condition} AND #checkpoint = :checkpoint`,
      ExpressionAttributeNames: { ...names, '#checkpoint': 'checkpoint' },
      ExpressionAttributeValues: { ...values, ':checkpoint': { S: seen.checkpoint } },
    };
    const outcome = await attempt(this.#quick.call('DeleteItem', request, signal));
    return outcome.held ? 'removed' : 'refused';
  }

  #row(item: Item): LeaseRow | undefined {
    const key = this.#names.keyOf(item);
    return key === undefined ? undefined : leaseRow(item, key);
  }

  #keyItem(key: LeaseKey): Item {
    return { leaseKey: { S: this.#names.inTable(key) } };
  }
}

function asSeen(seen: LeaseRow) {
  const condition = 'leaseCounter = :seen AND ';
  const names = { '#owner': 'leaseOwner' };
  const values: Item = { ':seen': { N: String(seen.counter) } };
  if (seen.owner === undefined) return { condition: `${condition}attribute_not_exists(#owner)`, names, values };
  return { condition: `${condition}#owner = :owner`, names, values: { ...values, ':owner': { S: seen.owner } } };
}

/** The same arguments give the same bytes: a repeat of a write that was applied can only be refused. */
function update(seen: LeaseRow, changed: Iterable<readonly [string, AttributeValue | undefined]>) {
  const { condition, names, values } = asSeen(seen);
  const sets: string[] = [];
  const removes: string[] = [];
  const moreNames: [string, string][] = [];
  const moreValues: [string, AttributeValue][] = [];
  for (const [attribute, value] of changed) {
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
