import { expect } from 'chai';
import fc from 'fast-check';
import type { Item } from '../../../src/model/item.ts';
import { fingerprint, itemBytes, sameImage } from '../../../src/replication/image.ts';
import { randomItem } from '../../fakes/random-items.ts';
import { ODD_ATTRIBUTES } from '../../fakes/records.ts';

const turned = (item: Item): Item => Object.fromEntries(Object.entries(item).toReversed());

describe('image', () => {
  it('is the same whatever the order of attributes and sets, and however numbers are written', () => {
    fc.assert(fc.property(randomItem, item => sameImage(item, turned(item)) && fingerprint(item) === fingerprint(turned(item))));
    expect(
      sameImage(
        { n: { N: '1.0' }, s: { SS: ['a', 'b'] }, t: { NS: ['1', '20'] } },
        { t: { NS: ['2e1', '1.00'] }, s: { SS: ['b', 'a'] }, n: { N: '1' } },
      ),
    ).to.equal(true);
  });

  it('is another for any other value, type, name or order of a list', () => {
    const pairs: [Item, Item][] = [
      [{ a: { S: '1' } }, { a: { N: '1' } }],
      [{ a: { S: 'AA==' } }, { a: { B: 'AA==' } }],
      [{ a: { L: [{ S: 'x' }, { S: 'y' }] } }, { a: { L: [{ S: 'y' }, { S: 'x' }] } }],
      [{ a: { SS: ['x'] } }, { a: { L: [{ S: 'x' }] } }],
      [{ a: { NULL: true } }, {}],
      [{ a: { S: 'null' } }, { a: { NULL: true } }],
      [{ a: { M: {} } }, { a: { L: [] } }],
      [{ a: { BOOL: true } }, { a: { S: 'true' } }],
      [{ a: { S: '","b":"' } }, { a: { S: '' }, b: { S: '' } }],
    ];
    for (const [a, b] of pairs) expect(sameImage(a, b), JSON.stringify([a, b])).to.equal(false);
    fc.assert(fc.property(randomItem, randomItem, (a, b) => sameImage(a, b) || fingerprint(a) !== fingerprint(b)));
    expect(sameImage(undefined, {})).to.equal(false);
    expect(sameImage(undefined, undefined)).to.equal(true);
  });

  it('has the size that DynamoDB counts', () => {
    expect(
      itemBytes({ pk: { S: 'ü' }, b: { B: 'AAEC' }, n: { N: '-12345' }, m: { M: { a: { S: 'x' } } }, l: { L: [{ BOOL: true }] } }),
    ).to.equal(2 + 2 + (1 + 3) + (1 + 5) + (1 + 3 + 1 + 2) + (1 + 3 + 1 + 1));
    expect(itemBytes(ODD_ATTRIBUTES)).to.be.greaterThan(300);
  });
});
