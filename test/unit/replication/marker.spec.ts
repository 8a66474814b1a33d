import { expect } from 'chai';
import type { AttributeValue, Item } from '../../../src/model/item.ts';
import { markerOf, mirrorMarker, unmarked, versionMarker } from '../../../src/replication/marker.ts';
import { stampOf } from '../../../src/replication/stamp.ts';

const S = stampOf(1, '7') ?? '';

describe('marker', () => {
  it('is read as it was written', () => {
    expect(markerOf({ _tm: mirrorMarker(S, 'shop/orders') }, '_tm')).to.deep.equal({ is: 'mirror', s: S, p: 'shop/orders' });
    expect(markerOf({ _tm: versionMarker('eu', S, { N: '5' }) }, '_tm')).to.deep.equal({ is: 'version', o: 'eu', s: S, v: { N: '5' } });
    expect(markerOf({ _tm: versionMarker('eu', S, undefined) }, '_tm')).to.deep.equal({ is: 'version', o: 'eu', s: S });
  });

  it('may grow', () => {
    const grown = { M: { s: { S }, p: { S: 'x' }, later: { N: '1' } } };
    expect(markerOf({ _tm: grown }, '_tm').is).to.equal('mirror');
  });

  it("of another shape is somebody else's", () => {
    const others: AttributeValue[] = [
      { S: 'text' },
      { M: {} },
      { M: { s: { S: 'no stamp' }, p: { S: 'x' } } },
      { M: { s: { S } } },
      { M: { s: { N: '1' } } },
    ];
    for (const _tm of others) expect(markerOf({ _tm }, '_tm').is, JSON.stringify(_tm)).to.equal('foreign');
    expect(markerOf({}, '_tm').is).to.equal('absent');
  });

  it('is looked for under any name, also one that every object has', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(markerOf({}, name).is, name).to.equal('absent');
      const item: Item = Object.fromEntries([
        ['a', { S: 'x' }],
        [name, mirrorMarker(S, 'p')],
      ]);
      expect(markerOf(item, name).is, name).to.equal('mirror');
      expect(unmarked(item, name)).to.deep.equal({ a: { S: 'x' } });
    }
  });

  it('taken out leaves the rest, an attribute __proto__ included', () => {
    const item = JSON.parse('{"__proto__":{"S":"own"},"_tm":{"S":"x"}}') as Item;
    expect(Object.entries(unmarked(item, '_tm'))).to.deep.equal([['__proto__', { S: 'own' }]]);
    expect(unmarked(item, 'none')).to.equal(item);
  });
});
