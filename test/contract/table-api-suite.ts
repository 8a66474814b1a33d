/** What every `TableApi` promises, whoever implements it: items as they stand on the wire, one attempt, refusals as ServiceFault. */

import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import type { Item } from '../../src/model/item.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { TableApi } from '../../src/ports/table-api.ts';

export const NEVER = new AbortController().signal;

/** Of everything that an item can hold; the names are those that careless code trips over. */
export const EVERYTHING: Item = JSON.parse(`{
  "pk": {"S": "every"}, "n": {"N": "12345678901234567890123456789012345678"}, "small": {"N": "-0.00123"}, "b": {"B": "AP+AfwEC"}, "emptyB": {"B": ""},
  "empty": {"S": ""}, "text": {"S": "äß€𝄞 \\" \\\\ \\n\\u0000"}, "yes": {"BOOL": true}, "no": {"BOOL": false}, "null": {"NULL": true},
  "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "-2.5"]}, "bs": {"BS": ["AQ==", "Ag=="]}, "list": {"L": [{"B": "AAE="}, {"L": []}, {"M": {}}]},
  "map": {"M": {"B": {"B": "AAEC"}, "BS": {"BS": ["AQ=="]}, "M": {"M": {"L": {"L": []}}}}}, "B": {"S": "x"}, "BS": {"L": [{"S": "y"}]}, "S": {"N": "1"},
  "__proto__": {"S": "p"}, "constructor": {"M": {"__proto__": {"N": "1"}}}, "a.b \\"c\\"": {"S": "dots"}, "size": {"S": "reserved"}
}`);

export async function faultOf(promise: Promise<unknown>): Promise<ServiceFault> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ServiceFault) return error;
    throw error;
  }
  throw new Error('a ServiceFault was expected');
}

/** Sets have no order. */
export function canonical(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (name, member) =>
    ['SS', 'NS', 'BS'].includes(name) && Array.isArray(member) ? [...member].sort() : member,
  );
}

export function sameItem(actual: unknown, expected: unknown): void {
  expect(sortedText(actual)).to.equal(sortedText(expected));
}

/** Text with names in order, so that also `__proto__` is compared. */
function sortedText(value: unknown): string {
  const sorted = (member: unknown): unknown =>
    typeof member !== 'object' || member === null || Array.isArray(member)
      ? Array.isArray(member)
        ? member.map(sorted)
        : member
      : Object.entries(member)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, inner]) => [name, sorted(inner)]);
  return JSON.stringify(sorted(canonical(value)));
}

/** `open` gives the API once its server runs; the suite makes a table of its own. */
export function describeTableApi(name: string, open: () => Promise<TableApi>): void {
  describe(`TableApi: ${name}`, () => {
    const TableName = `contract-${name}`;
    const key = (pk: string) => ({ pk: { S: pk } });
    let table: TableApi;
    const get = async (pk: string) => (await table.call('GetItem', { TableName, Key: key(pk), ConsistentRead: true }, NEVER)).Item;

    before(async () => {
      table = await open();
      await table.call(
        'CreateTable',
        {
          TableName,
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        },
        NEVER,
      );
    });

    it('describes a table', async () => {
      const { Table } = await table.call('DescribeTable', { TableName }, NEVER);
      expect(Table).to.deep.include({ TableName, TableStatus: 'ACTIVE', KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }] });
      expect(Table.TableArn).to.match(/^arn:/);
    });

    it('carries every kind of value exactly, both ways', async () => {
      await table.call('PutItem', { TableName, Item: EVERYTHING }, NEVER);
      sameItem(await get('every'), EVERYTHING);
      const { Items } = await table.call('Scan', { TableName, ConsistentRead: true }, NEVER);
      sameItem(
        Items.find(item => item['pk'] !== undefined && 'S' in item['pk'] && item['pk'].S === 'every'),
        EVERYTHING,
      );
    });

    it('gives nothing for an item that is not there', async () => {
      expect(await get('nowhere')).to.equal(undefined);
      const { Items } = await table.call(
        'Query',
        { TableName, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: 'nowhere' } } },
        NEVER,
      );
      expect(Items).to.deep.equal([]);
    });

    it('says what was there when a condition fails, and changes nothing', async () => {
      const there = { ...key('held'), v: { N: '7' }, b: { B: 'AAEC' } };
      await table.call('PutItem', { TableName, Item: there }, NEVER);
      const conditions = {
        TableName,
        ConditionExpression: '#v < :v',
        ExpressionAttributeNames: { '#v': 'v' },
        ExpressionAttributeValues: { ':v': { N: '7' } },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      } as const;
      const put = await faultOf(table.call('PutItem', { ...conditions, Item: key('held') }, NEVER));
      expect(put).to.include({ class: 'condition', name: 'ConditionalCheckFailedException', status: 400 });
      sameItem(put.answer['Item'], there);
      const removal = await faultOf(table.call('DeleteItem', { ...conditions, Key: key('held') }, NEVER));
      sameItem(removal.answer['Item'], there);
      sameItem(await get('held'), there);
    });

    it('gives what it replaced, updated or removed', async () => {
      const first = { ...key('old'), b: { B: 'AQ==' } };
      await table.call('PutItem', { TableName, Item: first }, NEVER);
      const put = await table.call('PutItem', { TableName, Item: { ...key('old'), n: { N: '1' } }, ReturnValues: 'ALL_OLD' }, NEVER);
      sameItem(put.Attributes, first);
      const update = await table.call(
        'UpdateItem',
        {
          TableName,
          Key: key('old'),
          UpdateExpression: 'SET b = :b',
          ExpressionAttributeValues: { ':b': { B: 'Ag==' } },
          ReturnValues: 'ALL_NEW',
        },
        NEVER,
      );
      sameItem(update.Attributes, { ...key('old'), n: { N: '1' }, b: { B: 'Ag==' } });
      const removed = await table.call('DeleteItem', { TableName, Key: key('old'), ReturnValues: 'ALL_OLD' }, NEVER);
      sameItem(removed.Attributes, { ...key('old'), n: { N: '1' }, b: { B: 'Ag==' } });
    });

    it('writes and reads batches', async () => {
      const items = Array.from({ length: 25 }, (_, i) => ({ ...key(`batch-${i}`), b: { B: Buffer.from([i]).toString('base64') } }));
      const written = await table.call(
        'BatchWriteItem',
        { RequestItems: { [TableName]: items.map(Item => ({ PutRequest: { Item } })) } },
        NEVER,
      );
      expect(Object.keys(written.UnprocessedItems ?? {})).to.deep.equal([]);
      const { Responses } = await table.call(
        'BatchGetItem',
        { RequestItems: { [TableName]: { Keys: items.map(item => ({ pk: item.pk })), ConsistentRead: true } } },
        NEVER,
      );
      const byKey = (a: Item, b: Item) => (JSON.stringify(a['pk']) < JSON.stringify(b['pk']) ? -1 : 1);
      sameItem([...(Responses[TableName] ?? [])].sort(byKey), [...items].sort(byKey));
    });

    it('answers each statement of a batch by its index', async () => {
      await table.call('PutItem', { TableName, Item: { ...key('ql'), v: { N: '5' } } }, NEVER);
      const { Responses } = await table.call(
        'BatchExecuteStatement',
        {
          Statements: [
            { Statement: `INSERT INTO "${TableName}" VALUE {'pk': ?, 'b': ?}`, Parameters: [{ S: 'ql-new' }, { B: 'AAEC' }] },
            { Statement: `UPDATE "${TableName}" SET v = ? WHERE pk = ? AND v < ?`, Parameters: [{ N: '3' }, { S: 'ql' }, { N: '3' }] },
          ],
        },
        NEVER,
      );
      expect(Responses).to.have.length(2);
      expect(Responses[0]).to.not.have.property('Error');
      expect(Responses[1]?.Error?.Code).to.match(/ConditionalCheckFailed/);
      sameItem(await get('ql-new'), { ...key('ql-new'), b: { B: 'AAEC' } });
    });

    it('writes a transaction whole, or says which action stopped it', async () => {
      const actions = (v: string) => [
        { Put: { TableName, Item: { ...key('t-1'), v: { N: v } } } },
        {
          Put: {
            TableName,
            Item: { ...key('t-2'), b: { B: 'AAEC' } },
            ConditionExpression: 'attribute_not_exists(pk)',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
          },
        },
      ];
      await table.call('TransactWriteItems', { TransactItems: actions('1') }, NEVER);
      const cancelled = await faultOf(table.call('TransactWriteItems', { TransactItems: actions('2') }, NEVER));
      expect(cancelled).to.include({ name: 'TransactionCanceledException', class: 'condition' });
      const reasons = cancelled.answer['CancellationReasons'] as { Code: string; Item?: Item }[];
      expect(reasons.map(reason => reason.Code)).to.deep.equal(['None', 'ConditionalCheckFailed']);
      sameItem(reasons[1]?.Item, { ...key('t-2'), b: { B: 'AAEC' } });
      sameItem(await get('t-1'), { ...key('t-1'), v: { N: '1' } });
    });

    it('names what is missing and what is wrong', async () => {
      expect(await faultOf(table.call('GetItem', { TableName: 'no-such-table', Key: key('a') }, NEVER))).to.include({
        name: 'ResourceNotFoundException',
        class: 'missing',
        status: 400,
      });
      const wrong = await faultOf(table.call('PutItem', { TableName, Item: { other: { S: 'no key' } } }, NEVER));
      expect(wrong).to.include({ name: 'ValidationException', class: 'invalid' });
      expect(wrong.message).to.not.equal('');
      const number = await faultOf(table.call('PutItem', { TableName, Item: { ...key('a'), n: { N: '1'.repeat(39) } } }, NEVER));
      expect(number.class).to.equal('invalid');
    });

    it('does nothing under a signal that is aborted, and leaves no listener on one that is not', async () => {
      expect(await faultOf(table.call('GetItem', { TableName, Key: key('a') }, AbortSignal.abort()))).to.have.property('class', 'aborted');
      const { signal } = new AbortController();
      for (let i = 0; i < 5; i++) await table.call('GetItem', { TableName, Key: key('a') }, signal);
      await new Promise(resolve => setImmediate(resolve));
      expect(getEventListeners(signal, 'abort')).to.be.empty;
    });
  });
}
