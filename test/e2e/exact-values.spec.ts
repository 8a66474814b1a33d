/** Values and names that others bend: carried exactly, through the stream, into the replica, Kinesis, Kafka and the archive; keys of each type. */
import type { ScalarAttributeType } from '@aws-sdk/client-dynamodb';
import { expect } from 'chai';
import { makeTargets } from '../run/world-targets.ts';
import { deliveredItems } from './delivered.ts';
import { closeShops, openShop } from './shop.ts';
import { getItem, makeTable, putItems, type WireItem } from './tables.ts';
import { awaited, idle, sinksOf, until } from './waiting.ts';

const VALUES: WireItem = Object.fromEntries(
  Object.entries({
    digits: { N: '12345678901234567890123456789012345678' },
    // As DynamoDB itself writes them out.
    small: { N: `-0.${'0'.repeat(129)}1` },
    large: { N: `${'9'.repeat(38)}${'0'.repeat(88)}` },
    emptyText: { S: '' },
    emptyBinary: { B: '' },
    emptyList: { L: [] },
    emptyMap: { M: {} },
    deepEmptyMap: { L: [{ M: { inner: { M: {} } } }] },
    binary: { B: 'AAF/gP8=' },
    numbers: { NS: ['1', '2.5', '12345678901234567890123456789012345678'] },
    texts: { SS: ['a', 'ß', '😀'] },
    binaries: { BS: ['AQ==', 'Ag=='] },
    nothing: { NULL: true },
    no: { BOOL: false },
    'with.dots': { S: 'a.b' },
    'with "quotes" and \\': { S: '"\\\n\u2028' },
    "it's": { S: "'" },
    select: { S: 'reserved' },
    size: { N: '1' },
    ['__proto__']: { S: 'not a prototype' },
    constructor: { S: 'not a function' },
    hasOwnProperty: { M: { ['__proto__']: { N: '7' } } },
    ' leading blank': { S: ' ' },
    日本語: { S: '値' },
  } satisfies WireItem),
);

const KEYS: readonly { readonly type: ScalarAttributeType; readonly key: Readonly<Record<string, string>> }[] = [
  { type: 'S', key: { S: `a "key" with __proto__, \\ and ß${'x'.repeat(568)}` } },
  { type: 'N', key: { N: '12345678901234567890123456789012345678' } },
  { type: 'B', key: { B: 'AP+ACiI=' } },
];

describe('exact values', function () {
  this.timeout(60_000);
  afterEach(closeShops);

  for (const { type, key } of KEYS) {
    it(`key of type ${type}: put and changed, the same everywhere`, async () => {
      const hash = { name: type === 'S' ? 'constructor' : '__proto__', type };
      const shop = await openShop({
        make: async places => {
          await makeTargets({ ...places, source: { ...places.source, table: 'unused' }, replica: { ...places.replica, table: 'unused' } });
          await makeTable(places.source, { hash, stream: 'NEW_AND_OLD_IMAGES' });
          await makeTable(places.replica, { hash });
        },
      });
      const named = Object.fromEntries([[hash.name, key]]);
      const first = { ...VALUES, ...named };
      const second = { ...first, digits: { N: '0' }, more: { S: 'more' } };
      const daemon = await shop.open();
      await putItems(shop.places.source, [first, second]);
      await idleAfter(daemon, 2);
      const copy = await getItem(shop.places.replica, named);
      const { _tm, ...withoutStamp } = copy ?? {};
      expect(_tm, 'the stamp').an('object');
      expect(sortedSets(withoutStamp)).eql(sortedSets(second));
      const delivered = await deliveredItems(shop);
      expect(delivered.map(({ target }) => target)).have.members(['Kinesis', 'Kafka', 'archive'].flatMap(name => [name, name]));
      for (const { target, before, after } of delivered) {
        const [was, is] = before === undefined ? [undefined, first] : [first, second];
        expect(sortedSets(after), target).eql(sortedSets(is));
        expect(before && sortedSets(before), target).eql(was && sortedSets(was));
      }
    });
  }

  it('an item near 400 KB arrives everywhere; one that is full to the last byte has no room for the stamp: its sink halts and says so', async () => {
    const shop = await openShop({ more: { eu: { timeoutSeconds: 5 } } });
    const { source, replica } = shop.places;
    const daemon = await shop.open();
    const large = { customer: { S: 'c' }, order: { S: 'large' }, text: { S: 'x'.repeat(390 * 1024) } };
    await putItems(source, [large, { ...large, more: { S: 'more' } }]);
    await idleAfter(daemon, 2);
    const copy = await getItem(replica, { customer: { S: 'c' }, order: { S: 'large' } });
    expect(String(copy?.['text']?.['S']).length).equal(390 * 1024);
    expect((await deliveredItems(shop)).length).equal(6);

    const names = 'customer'.length + 1 + 'order'.length + 'full'.length + 'text'.length;
    await putItems(source, [{ customer: { S: 'c' }, order: { S: 'full' }, text: { S: 'x'.repeat(400 * 1024 - names) } }]);
    await awaited(daemon, 'the replica halts, the others have it', sinks =>
      sinks.every(({ name, state, open }) => (name === 'eu' ? state === 'halted' : open === 0)),
    );
    const [eu] = await sinksOf(daemon);
    console.log(`        ${eu?.reason}`);
    expect(eu?.reason).match(/409\d\d\d bytes.*409600/);
    await until('all others have it', async () => (await deliveredItems(shop)).length === 9);
  });
});

async function idleAfter(daemon: Parameters<typeof idle>[0], records: number): Promise<void> {
  await awaited(daemon, `all sinks have read ${records}`, sinks => sinks.every(({ read }) => read === records));
  await idle(daemon);
}

/** Sets have no order. */
function sortedSets(item: unknown): unknown {
  return JSON.parse(JSON.stringify(item), (name, value) =>
    ['SS', 'NS', 'BS'].includes(name) && Array.isArray(value) ? [...value].sort() : value,
  );
}
