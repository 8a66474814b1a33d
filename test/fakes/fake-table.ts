/**
 * DynamoDB tables in memory, behind the port that the house uses, with the exact meaning of conditions. Every call takes effect at once, in the order of
 * calls: delays, losses and doubles are put around it by whoever needs them. It passes the suite that the real server passes (table-semantics-suite.ts).
 */
import type { Item } from '../../src/model/item.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { Statement, TableApi, TableOperations, TransactWrite } from '../../src/ports/table-api.ts';
import { type Bound, checkUsed, holds, invalid } from './fake-expressions.ts';
import { parseStatement, runStatement } from './fake-partiql.ts';
import { FakeStore, type Guard } from './fake-store.ts';
import { updated } from './fake-update.ts';

export interface FakeTables extends TableApi {
  /** Items of a table, in no promised order. */
  items(table: string): Item[];
  drop(table: string): void;
}

type Handlers = { [Name in keyof TableOperations]: (request: TableOperations[Name][0]) => TableOperations[Name][1] };

/** `scanRows`: rows that a page of a scan looks at. */
export function fakeTables({ scanRows = 1_000 }: { scanRows?: number } = {}): FakeTables {
  const store = new FakeStore();
  const handlers: Handlers = { ...writes(store), ...reads(store, scanRows), ...batches(store), ...administration(store) };
  return {
    call: async (name, request, signal) => {
      if (signal.aborted) throw new ServiceFault('AbortError', 'aborted', { class: 'aborted' });
      return handlers[name](request);
    },
    items: name => [...(store.tables.get(name)?.rows.values() ?? [])],
    drop: name => void store.tables.delete(name),
  };
}

function writes(store: FakeStore): Pick<Handlers, 'PutItem' | 'DeleteItem' | 'UpdateItem'> {
  const old = (wanted: string | undefined, item: Item | undefined) => (wanted === 'ALL_OLD' && item ? { Attributes: item } : {});
  return {
    PutItem: request => {
      const before = store.get(request.TableName, request.Item);
      store.check(request, before);
      store.put(request.TableName, request.Item);
      return old(request.ReturnValues, before);
    },
    DeleteItem: request => {
      const before = store.get(request.TableName, request.Key);
      store.check(request, before);
      store.remove(request.TableName, request.Key);
      return old(request.ReturnValues, before);
    },
    UpdateItem: request => {
      const before = store.get(request.TableName, request.Key);
      checkUsed([request.ConditionExpression, request.UpdateExpression], request);
      store.check({ ...request, ...onlyUsed(request.ConditionExpression, request) }, before);
      const after = updated({ ...before, ...request.Key }, request.UpdateExpression, request);
      store.put(request.TableName, after);
      return request.ReturnValues === 'ALL_NEW' ? { Attributes: after } : old(request.ReturnValues, before);
    },
  };
}

function reads(store: FakeStore, scanRows: number): Pick<Handlers, 'GetItem' | 'Scan' | 'Query' | 'BatchGetItem'> {
  return {
    GetItem: request => {
      const item = store.get(request.TableName, request.Key);
      return item ? { Item: item } : {};
    },
    Scan: request => {
      const name = request.TableName;
      const rows = [...store.table(name).rows.entries()];
      const after = request.ExclusiveStartKey && store.keyOf(name, request.ExclusiveStartKey);
      const from = rows.findIndex(([key]) => key === after) + 1;
      const page = rows.slice(from, from + (request.Limit ?? scanRows)).map(([, item]) => item);
      const last = from + page.length < rows.length ? page.at(-1) : undefined;
      return { Items: page.filter(row => holds(request.FilterExpression, row, request)), ...(last && { LastEvaluatedKey: last }) };
    },
    Query: request => {
      const { TableName: name, KeyConditionExpression: condition } = request;
      const rows = [...store.table(name).rows.values()].filter(row => holds(condition, row, request));
      return { Items: rows.sort((a, b) => (store.keyOf(name, a) < store.keyOf(name, b) ? -1 : 1)) };
    },
    BatchGetItem: request => {
      const found = Object.entries(request.RequestItems).map(([name, { Keys }]): [string, Item[]] => [
        name,
        Keys.map(keys => store.get(name, keys)).filter(item => item !== undefined),
      ]);
      return { Responses: Object.fromEntries(found) };
    },
  };
}

function batches(store: FakeStore): Pick<Handlers, 'BatchWriteItem' | 'BatchExecuteStatement' | 'TransactWriteItems'> {
  return {
    BatchWriteItem: request => {
      for (const [name, all] of Object.entries(request.RequestItems)) {
        unique(all.map(write => store.keyOf(name, 'PutRequest' in write ? write.PutRequest.Item : write.DeleteRequest.Key)));
        for (const write of all) {
          if ('PutRequest' in write) store.put(name, write.PutRequest.Item);
          else store.remove(name, write.DeleteRequest.Key);
        }
      }
      return {};
    },
    BatchExecuteStatement: request => {
      if (request.Statements.length > 25) throw invalid('Member must have length less than or equal to 25');
      return { Responses: executed(store, request.Statements) };
    },
    TransactWriteItems: request => {
      const actions = request.TransactItems.map(actionOf);
      unique(actions.map(({ table, keys }) => `${table}/${store.keyOf(table, keys)}`));
      const reasons = actions.map(action => reasonOf(() => store.check(action.guard, store.get(action.table, action.keys))));
      if (reasons.some(reason => reason.Code !== 'None')) throw cancelled(reasons);
      for (const action of actions) {
        if (action.item) store.put(action.table, action.item);
        else if (action.removes) store.remove(action.table, action.keys);
      }
      return {};
    },
  };
}

function administration(
  store: FakeStore,
): Pick<Handlers, 'DescribeTable' | 'CreateTable' | 'UpdateTable' | 'DescribeTimeToLive' | 'UpdateTimeToLive'> {
  return {
    DescribeTable: request => ({ Table: store.table(request.TableName).description }),
    CreateTable: request => {
      const { TableName } = request;
      if (store.tables.has(TableName)) {
        throw new ServiceFault('ResourceInUseException', 'Cannot create preexisting table', { class: 'invalid', status: 400 });
      }
      const [hash = '', range] = request.KeySchema.map(each => each.AttributeName);
      const description = { ...request, TableArn: `arn:aws:dynamodb:local:000000000000:table/${TableName}`, TableStatus: 'ACTIVE' };
      store.tables.set(TableName, { description, keyNames: range === undefined ? [hash] : [hash, range], rows: new Map(), expires: false });
      return {};
    },
    UpdateTable: () => ({}),
    DescribeTimeToLive: request => {
      const { expires } = store.table(request.TableName);
      return { TimeToLiveDescription: { TimeToLiveStatus: expires ? 'ENABLED' : 'DISABLED' } };
    },
    UpdateTimeToLive: request => {
      store.table(request.TableName).expires = true;
      return {};
    },
  };
}

/** Statements that cannot be read spoil only themselves; two of one key spoil the call. */
function executed(store: FakeStore, statements: readonly Statement[]) {
  const read = statements.map(statement => {
    try {
      return parseStatement(statement, store);
    } catch (error) {
      const { message, code = 'ValidationError' } = error as Error & { code?: string };
      return { Error: { Code: code, Message: message } };
    }
  });
  unique(read.flatMap(each => ('Error' in each ? [] : [`${each.table}/${store.keyOf(each.table, each.keys)}`])));
  return read.map(each => {
    if ('Error' in each) return each;
    const error = runStatement(each, store);
    return error ? { Error: error } : {};
  });
}

function unique(keys: readonly string[]): void {
  if (new Set(keys).size < keys.length) throw invalid('Provided list of item keys contains duplicates');
}

interface Action {
  readonly table: string;
  readonly keys: Item;
  readonly guard: Guard;
  readonly item?: Item;
  readonly removes?: true;
}

function actionOf(write: TransactWrite): Action {
  if ('Put' in write) return { table: write.Put.TableName, keys: write.Put.Item, guard: write.Put, item: write.Put.Item };
  if ('Delete' in write) return { table: write.Delete.TableName, keys: write.Delete.Key, guard: write.Delete, removes: true };
  if ('ConditionCheck' in write)
    return { table: write.ConditionCheck.TableName, keys: write.ConditionCheck.Key, guard: write.ConditionCheck };
  throw new Error('the fake knows no Update in a transaction');
}

interface Reason {
  readonly Code: string;
  readonly Item?: unknown;
}

function reasonOf(check: () => void): Reason {
  try {
    check();
    return { Code: 'None' };
  } catch (error) {
    if (!(error instanceof ServiceFault && error.class === 'condition')) throw error;
    return { Code: 'ConditionalCheckFailed', ...error.answer };
  }
}

function cancelled(reasons: readonly Reason[]): ServiceFault {
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.map(each => each.Code).join(', ')}]`;
  return new ServiceFault('TransactionCanceledException', message, {
    class: 'condition',
    status: 400,
    answer: { CancellationReasons: reasons },
  });
}

function onlyUsed(expression: string | undefined, bound: Bound): Bound {
  const used = <T>(all: Readonly<Record<string, T>> = {}) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => expression?.includes(name)));
  return {
    ExpressionAttributeNames: used(bound.ExpressionAttributeNames),
    ExpressionAttributeValues: used(bound.ExpressionAttributeValues),
  };
}
