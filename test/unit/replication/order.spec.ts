import { expect } from 'chai';
import fc from 'fast-check';
import { compareNumbers, compareText, compareValues } from '../../../src/replication/order.ts';

/** A number as sign, digits and power of ten, so that its exact value is known. */
const number = fc.record({
  negative: fc.boolean(),
  digits: fc.bigInt({ min: 0n, max: 10n ** 38n - 1n }),
  power: fc.integer({ min: -40, max: 40 }),
});

describe('order', () => {
  it('of numbers is exact over 38 digits and any power', () => {
    fc.assert(
      fc.property(number, number, (a, b) => {
        const text = ({ negative, digits, power }: typeof a) => `${negative ? '-' : ''}${digits}e${power}`;
        const value = ({ negative, digits, power }: typeof a) => (negative ? -1n : 1n) * digits * 10n ** BigInt(power + 40);
        const [x, y] = [value(a), value(b)];
        expect(Math.sign(compareNumbers(text(a), text(b)))).to.equal(x < y ? -1 : x > y ? 1 : 0);
      }),
    );
  });

  it('of numbers does not care how they are written', () => {
    for (const [a, b] of [
      ['1', '1.0'],
      ['0', '-0'],
      ['100', '1e2'],
      ['0.001', '1E-3'],
      ['+5', '5'],
    ] as const)
      expect(compareNumbers(a, b)).to.equal(0);
    expect(compareNumbers('-0.5', '-0.05')).to.be.lessThan(0);
    expect(compareNumbers('9', '10')).to.be.lessThan(0);
    expect(compareNumbers('12', '120')).to.be.lessThan(0);
  });

  it('of text is that of its UTF-8 bytes', () => {
    expect(compareText('\u{ffff}', '\u{10000}')).to.be.lessThan(0);
    expect('\u{ffff}' < '\u{10000}', "JavaScript's is not").to.equal(false);
  });

  it('of a missing value is the lowest', () => {
    expect(compareValues(undefined, { N: '-1e125' })).to.be.lessThan(0);
    expect(compareValues({ S: '' }, undefined)).to.be.greaterThan(0);
    expect(compareValues(undefined, undefined)).to.equal(0);
    expect(Math.sign(compareValues({ N: '9' }, { S: '' }))).to.equal(-Math.sign(compareValues({ S: '' }, { N: '9' })));
  });
});
