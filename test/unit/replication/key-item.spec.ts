import { expect } from 'chai';
import fc from 'fast-check';
import type { AttributeValue } from '../../../src/model/item.ts';
import { type KeyNames, keyOf } from '../../../src/model/key.ts';
import { keyItem } from '../../../src/replication/key-item.ts';

const value: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.string({ minLength: 1 }).map(S => ({ S })),
  fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }).map(n => ({ N: String(n) })),
  fc.uint8Array({ minLength: 1 }).map(bytes => ({ B: Buffer.from(bytes).toString('base64') })),
);

describe('key item', () => {
  it("is the way back from a key's text, for one attribute or two", () => {
    fc.assert(
      fc.property(value, value, (hash, range) => {
        for (const names of [['__proto__'], ['pk', 'constructor']] as const satisfies readonly KeyNames[]) {
          const item = Object.fromEntries([...names.map((name, i) => [name, i === 0 ? hash : range] as const)]);
          const key = keyOf(item, names);
          expect(keyOf(keyItem(key, names), names)).to.equal(key);
          expect(Object.keys(keyItem(key, names))).to.deep.equal([...names]);
        }
      }),
    );
  });

  it('refuses what is no key', () => {
    expect(() => keyItem('X1', ['pk'])).to.throw('not part of a key');
    expect(() => keyItem('Sa', ['pk', 'sk'])).to.throw('two key attributes');
  });
});
