import { expect } from 'chai';
import fc from 'fast-check';
import type { Item } from '../../../src/model/item.ts';
import { sameImage } from '../../../src/replication/image.ts';
import { mirrorMarker } from '../../../src/replication/marker.ts';
import { stampOf } from '../../../src/replication/stamp.ts';
import { insertStatement, updateStatement } from '../../../src/replication/statements.ts';
import { fakeTables } from '../../fakes/fake-table.ts';
import { randomItem } from '../../fakes/random-items.ts';
import { createSuiteTable } from '../../fakes/replica-suite.ts';

const [OLD, NEW] = [stampOf(1, '1') ?? '', stampOf(1, '2') ?? ''];
const keys: Item = { pk: { S: 'a' }, sk: { N: '1' } };
const marked = (image: Item, s: string): Item => ({ ...image, ...keys, _tm: mirrorMarker(s, 'us') });
const change = (before: Item, after: Item, on = OLD) =>
  updateStatement({
    table: 'copy',
    keyNames: ['pk', 'sk'],
    before: { ...before, ...keys },
    after: marked(after, NEW),
    stampAttribute: '_tm',
    on: { s: on, p: 'us' },
  });

async function copyWith(item: Item | undefined) {
  const tables = fakeTables();
  await createSuiteTable(tables, 'copy');
  if (item) await tables.call('PutItem', { TableName: 'copy', Item: item }, new AbortController().signal);
  return tables;
}

describe('statements', () => {
  it('insert the whole item', async () => {
    await fc.assert(
      fc.asyncProperty(randomItem, async image => {
        const tables = await copyWith(undefined);
        const statement = insertStatement('copy', marked(image, OLD));
        if (!statement) return;
        await tables.call('BatchExecuteStatement', { Statements: [statement] }, new AbortController().signal);
        expect(sameImage(tables.items('copy')[0], marked(image, OLD))).to.equal(true);
      }),
    );
  });

  it('make the new image on top of exactly the old one, and nothing on top of another', async () => {
    await fc.assert(
      fc.asyncProperty(randomItem, randomItem, async (before, after) => {
        const [right, wrong] = [change(before, after), change(before, after, NEW)];
        if (!right || !wrong) return;
        const tables = await copyWith(marked(before, OLD));
        const run = async (Statement: typeof right) =>
          (await tables.call('BatchExecuteStatement', { Statements: [Statement] }, new AbortController().signal)).Responses[0]?.Error?.Code;
        expect(await run(wrong)).to.equal('ConditionalCheckFailed');
        expect(sameImage(tables.items('copy')[0], marked(before, OLD))).to.equal(true);
        expect(await run(right)).to.equal(undefined);
        expect(sameImage(tables.items('copy')[0], marked(after, NEW))).to.equal(true);
      }),
    );
  });

  it('carry the difference only', () => {
    const statement = change({ same: { S: 'x' }, gone: { N: '1' }, n: { N: '1' } }, { same: { S: 'x' }, n: { N: '2' } });
    expect(statement?.Statement).to.equal(
      'UPDATE "copy" SET "n"=? SET "_tm"=? REMOVE "gone" WHERE "pk"=? AND "sk"=? AND "_tm"."s"=? AND "_tm"."p"=?',
    );
  });

  it('are not made for names that would need quoting, nor longer than the service takes', () => {
    for (const name of ["it's", 'a"b', 'a\\b', 'a b', 'ü', '\n', '']) {
      expect(insertStatement('copy', { [name]: { S: 'x' } }), name).to.equal(undefined);
      expect(change({}, { [name]: { S: 'x' } }), name).to.equal(undefined);
      expect(change({ [name]: { S: 'x' } }, {}), name).to.equal(undefined);
    }
    expect(insertStatement('copy', { '__proto__.a:b#c-d': { S: 'x' } })).to.not.equal(undefined);
    const wide = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`attribute-number-${i}`, { S: 'x' }]));
    expect(insertStatement('copy', wide)).to.equal(undefined);
    expect(change({}, wide)).to.equal(undefined);
  });
});
