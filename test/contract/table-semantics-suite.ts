/**
 * What the house relies on of DynamoDB's writes: conditions on absent and nested attributes, what a refusal answers, statements, transactions. The real
 * server and the fake run the same cases, so that the fake does not lie.
 */
import { expect } from 'chai';
import type { AttributeValue, Item } from '../../src/model/item.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { Statement, TableApi } from '../../src/ports/table-api.ts';

const TABLE = 'Semantics';
const signal = new AbortController().signal;

export function describeTables(title: string, open: () => Promise<{ api: TableApi; close(): Promise<void> }>): void {
  describe(title, () => {
    let api: TableApi;
    let close: () => Promise<void>;

    before(async function () {
      this.timeout(180_000);
      ({ api, close } = await open());
      await api.call(
        'CreateTable',
        {
          TableName: TABLE,
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
          BillingMode: 'PAY_PER_REQUEST',
        },
        signal,
      );
    });
    after(async () => close?.());

    const put = (item: Item) => api.call('PutItem', { TableName: TABLE, Item: item }, signal);
    const get = async (pk: string) =>
      (await api.call('GetItem', { TableName: TABLE, Key: { pk: { S: pk } }, ConsistentRead: true }, signal)).Item;
    const fault = async (promise: Promise<unknown>): Promise<ServiceFault> => {
      const error = await promise.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error instanceof ServiceFault) return error;
      throw new Error(`a fault was expected, not ${error}`);
    };
    const conditional = (
      item: Item,
      condition: string,
      bound: { names?: Record<string, string>; values?: Record<string, AttributeValue> },
    ) =>
      api.call(
        'PutItem',
        {
          TableName: TABLE,
          Item: item,
          ConditionExpression: condition,
          ...(bound.names && { ExpressionAttributeNames: bound.names }),
          ...(bound.values && { ExpressionAttributeValues: bound.values }),
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        },
        signal,
      );

    describe('conditions', () => {
      const CASES: readonly [string, Item, boolean][] = [
        ['attribute_not_exists(#tm)', {}, true],
        ['attribute_not_exists(#tm)', { _tm: { S: 'x' } }, false],
        ['attribute_exists(#tm.#s)', { _tm: { S: 'x' } }, false],
        ['attribute_exists(#tm.#s)', { _tm: { M: { s: { S: '1' } } } }, true],
        ['#tm.#s < :s', { _tm: { M: { s: { S: '1' } } } }, true],
        ['#tm.#s < :s', { _tm: { M: { s: { S: '5' } } } }, false],
        ['#tm.#s < :s', { _tm: { M: { s: { N: '1' } } } }, false],
        ['#tm.#s < :s', {}, false],
        ['#tm.#s <> :s', {}, true],
        ['#tm.#s <> :s', { _tm: { M: { s: { S: '5' } } } }, false],
        ['NOT #tm.#s = :s', {}, true],
        ['NOT #tm.#s = :s', { _tm: { M: { s: { S: '5' } } } }, false],
        ['#s = #tm.#s OR #tm.#s = :s', { s: { N: '1.0' }, _tm: { M: { s: { N: '1' } } } }, true],
        ['#s = #tm.#s OR #tm.#s = :s', { s: { N: '2' }, _tm: { M: { s: { N: '1' } } } }, false],
        ['attribute_not_exists(#tm) OR (attribute_exists(#tm.#s) AND #tm.#s <> :s)', { _tm: { M: { s: { S: '6' } } } }, true],
        ['attribute_not_exists(#tm) OR (attribute_exists(#tm.#s) AND #tm.#s <> :s)', { _tm: { S: 'x' } }, false],
        ['attribute_not_exists(#tm) OR (NOT #tm.#s = :s)', { _tm: { S: 'x' } }, true],
        ['#s <= :s', { s: { S: '5' } }, true],
        ['#s <= :s', { s: { N: '5' } }, false],
      ];
      for (const [condition, rest, met] of CASES) {
        it(`${condition} ${met ? 'holds' : 'does not hold'} for ${JSON.stringify(rest)}`, async () => {
          await put({ pk: { S: 'c' }, ...rest });
          const names = Object.fromEntries(Object.entries({ '#tm': '_tm', '#s': 's' }).filter(([name]) => condition.includes(name)));
          const values = condition.includes(':s') ? { ':s': { S: '5' } } : undefined;
          const written = conditional({ pk: { S: 'c' }, n: { S: 'new' } }, condition, { names, ...(values && { values }) });
          if (met) await written;
          else {
            const refused = await fault(written);
            expect([refused.name, refused.class]).to.deep.equal(['ConditionalCheckFailedException', 'condition']);
            expect(Object.keys(refused.answer['Item'] as Item).sort()).to.deep.equal(['pk', ...Object.keys(rest)].sort());
          }
        });
      }

      it('order numbers by value with 38 digits, and text by its bytes', async () => {
        await put({ pk: { S: 'o' }, n: { N: '12345678901234567890123456789012345678' }, t: { S: '\u{ffff}' } });
        const names = { '#n': 'n', '#t': 't' };
        const values = { ':n': { N: '12345678901234567890123456789012345679' }, ':t': { S: '\u{10000}' } };
        await conditional({ pk: { S: 'o' } }, '#n < :n AND #t < :t', { names, values });
      });

      it('refuse double parentheses, and names and values that are not used', async () => {
        const names = { '#pk': 'pk' };
        const double = await fault(conditional({ pk: { S: 'd' } }, 'attribute_exists(#pk) OR ((#pk = #pk))', { names }));
        const name = await fault(conditional({ pk: { S: 'd' } }, 'attribute_not_exists(#pk)', { names: { ...names, '#x': 'x' } }));
        const value = await fault(conditional({ pk: { S: 'd' } }, 'attribute_not_exists(#pk)', { names, values: { ':x': { S: 'x' } } }));
        expect([double, name, value].map(each => each.class)).to.deep.equal(['invalid', 'invalid', 'invalid']);
      });
    });

    describe('statements', () => {
      const run = async (...Statements: Statement[]) => {
        const { Responses } = await api.call('BatchExecuteStatement', { Statements }, signal);
        return Responses.map(each => each.Error?.Code ?? 'done');
      };

      it('insert whatever an item can hold, and refuse where an item is', async () => {
        const values: readonly AttributeValue[] = [{ S: 'i1' }, { S: '' }, { B: '' }, { M: {} }, { L: [] }, { NULL: true }];
        const text = `INSERT INTO "${TABLE}" VALUE {'pk':?,'__proto__':?,'a.b':?,'select':?,'constructor':?,'nu':?}`;
        expect(await run({ Statement: text, Parameters: values })).to.deep.equal(['done']);
        expect(await run({ Statement: text, Parameters: values })).to.deep.equal(['DuplicateItem']);
        const item = (await get('i1')) ?? {};
        expect(Object.keys(item).sort()).to.deep.equal(['__proto__', 'a.b', 'constructor', 'nu', 'pk', 'select']);
        expect(Object.entries(item).find(([name]) => name === '__proto__')?.[1]).to.deep.equal({ S: '' });
      });

      it('update by difference only on top of the stamp that is named', async () => {
        await put({ pk: { S: 'u1' }, a: { N: '1' }, gone: { S: 'x' }, _tm: { M: { s: { S: '1' }, p: { S: 'me' } } } });
        const text = `UPDATE "${TABLE}" SET "a"=? SET "_tm"=? REMOVE "gone" WHERE "pk"=? AND "_tm"."s"=? AND "_tm"."p"=?`;
        const update = (pk: string, from: string) => ({
          Statement: text,
          Parameters: [{ N: '2' }, { M: { s: { S: '2' }, p: { S: 'me' } } }, { S: pk }, { S: from }, { S: 'me' }],
        });
        expect(await run(update('u1', '1'))).to.deep.equal(['done']);
        expect(await run(update('u1', '1'), update('nobody', '1'))).to.deep.equal(['ConditionalCheckFailed', 'ConditionalCheckFailed']);
        expect(await get('u1')).to.deep.equal({ pk: { S: 'u1' }, a: { N: '2' }, _tm: { M: { s: { S: '2' }, p: { S: 'me' } } } });
      });

      it('spoil only themselves, unless two are of one key', async () => {
        const insert = (pk: string) => ({ Statement: `INSERT INTO "${TABLE}" VALUE {'pk':?}`, Parameters: [{ S: pk }] });
        expect(await run(insert('s1'), { Statement: 'UPDATE nothing' })).to.deep.equal(['done', 'ValidationError']);
        expect((await fault(run(insert('s2'), insert('s2')))).class).to.equal('invalid');
        expect(await run({ ...insert('s3'), Statement: `INSERT INTO "Elsewhere" VALUE {'pk':?}` })).to.deep.equal(['ResourceNotFound']);
      });
    });

    it('a transaction writes all or nothing, and says which condition failed', async () => {
      await put({ pk: { S: 't1' }, v: { N: '1' } });
      const absent = { ConditionExpression: 'attribute_not_exists(#pk)', ExpressionAttributeNames: { '#pk': 'pk' } };
      const both = (check: string, written: string) =>
        api.call(
          'TransactWriteItems',
          {
            TransactItems: [
              { ConditionCheck: { TableName: TABLE, Key: { pk: { S: check } }, ...absent } },
              { Put: { TableName: TABLE, Item: { pk: { S: written } }, ...absent, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } },
            ],
          },
          signal,
        );
      const codes = (error: ServiceFault) => (error.answer['CancellationReasons'] as { Code: string }[]).map(each => each.Code);
      const first = await fault(both('t1', 't2'));
      expect([first.class, codes(first)]).to.deep.equal(['condition', ['ConditionalCheckFailed', 'None']]);
      expect(await get('t2')).to.equal(undefined);
      const second = await fault(both('t3', 't1'));
      expect(codes(second)).to.deep.equal(['None', 'ConditionalCheckFailed']);
      expect((second.answer['CancellationReasons'] as { Item: Item }[])[1]?.Item).to.deep.equal({ pk: { S: 't1' }, v: { N: '1' } });
      await both('t3', 't2');
      expect(await get('t2')).to.deep.equal({ pk: { S: 't2' } });
    });

    it('removing what is not there succeeds unless a condition wants it, and an update makes no item against its condition', async () => {
      const key = { TableName: TABLE, Key: { pk: { S: 'none' } } };
      await api.call('DeleteItem', key, signal);
      const wants = {
        ConditionExpression: '#a <= :a',
        ExpressionAttributeNames: { '#a': 'a' },
        ExpressionAttributeValues: { ':a': { N: '1' } },
      };
      const removed = await fault(api.call('DeleteItem', { ...key, ...wants, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }, signal));
      expect([removed.class, removed.answer['Item']]).to.deep.equal(['condition', undefined]);
      expect((await fault(api.call('UpdateItem', { ...key, UpdateExpression: 'REMOVE #a', ...wants }, signal))).class).to.equal(
        'condition',
      );
      expect(await get('none')).to.equal(undefined);
    });

    it('refuses an item over 400 KB, two writes of one key in a batch, a table that is not there', async () => {
      const large = await fault(put({ pk: { S: 'large' }, x: { S: 'x'.repeat(409_600) } }));
      expect([large.class, large.message]).to.deep.equal(['invalid', 'Item size has exceeded the maximum allowed size']);
      const twice = [{ PutRequest: { Item: { pk: { S: 'b' } } } }, { DeleteRequest: { Key: { pk: { S: 'b' } } } }];
      expect((await fault(api.call('BatchWriteItem', { RequestItems: { [TABLE]: twice } }, signal))).class).to.equal('invalid');
      expect((await fault(api.call('DescribeTable', { TableName: 'Elsewhere' }, signal))).class).to.equal('missing');
    });

    it('a scan finds by filter, page by page', async () => {
      for (let i = 0; i < 5; i++) await put({ pk: { S: `scan${i}` }, ...(i % 2 === 0 && { again: { N: '1' } }) });
      const found: string[] = [];
      let ExclusiveStartKey: Item | undefined;
      do {
        const page = await api.call(
          'Scan',
          {
            TableName: TABLE,
            Limit: 2,
            FilterExpression: 'attribute_exists(#again)',
            ExpressionAttributeNames: { '#again': 'again' },
            ...(ExclusiveStartKey && { ExclusiveStartKey }),
          },
          signal,
        );
        found.push(...page.Items.map(item => (item['pk'] as { S: string }).S));
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey);
      expect(found.sort()).to.deep.equal(['scan0', 'scan2', 'scan4']);
    });
  });
}
