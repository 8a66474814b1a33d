import { expect } from 'chai';
import fc from 'fast-check';
import { epochMs, isoTime } from '../../../src/model/iso-time.ts';

describe('model/iso-time', () => {
  it('writes and reads times as the language does, over leap years and centuries', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
        date => {
          expect(isoTime(date.getTime(), 3)).to.equal(date.toISOString());
          expect(epochMs(date.toISOString())).to.equal(date.getTime());
        },
      ),
    );
  });

  it('reads fewer and more digits of a second, and nothing else', () => {
    const texts = ['2026-01-01T00:00:02', '2026-01-01T00:00:02.5', '2026-01-01T00:00:02.123456', '2026-01-01', '1767225602'];
    expect(texts.map(epochMs)).to.deep.equal([1_767_225_602_000, 1_767_225_602_500, 1_767_225_602_123, undefined, undefined]);
  });
});
