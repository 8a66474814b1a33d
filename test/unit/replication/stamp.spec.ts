import { expect } from 'chai';
import fc from 'fast-check';
import { compareTokens } from '../../../src/model/position.ts';
import { isSnapshotStamp, isStamp, snapshotStamp, stampOf } from '../../../src/replication/stamp.ts';

const MADE = Date.UTC(2026, 0, 1);
const token = fc.bigInt({ min: 1n, max: 10n ** 40n - 1n }).map(String);

describe('stamp', () => {
  it("is the stream's creation and the sequence number, padded", () => {
    expect(stampOf(MADE, '100000000003498069978')).to.equal('1767225600000:0000000000000000000100000000003498069978');
  });

  it('sorts as sequence numbers do, of whatever length', () => {
    fc.assert(
      fc.property(token, token, (a, b) => {
        const [x, y] = [stampOf(MADE, a) ?? '', stampOf(MADE, b) ?? ''];
        expect(Math.sign(compareTokens(a, b))).to.equal(x < y ? -1 : x > y ? 1 : 0);
      }),
    );
  });

  it('of a later stream is higher, whatever the numbers', () => {
    fc.assert(
      fc.property(token, token, fc.integer({ min: 1, max: 10 ** 12 }), (older, newer, later) => {
        expect((stampOf(MADE, older) ?? '') < (stampOf(MADE + later, newer) ?? '')).to.equal(true);
      }),
    );
  });

  it('of a scanned row is below every record of its stream, and above the stream before', () => {
    const row = snapshotStamp(MADE);
    expect(isStamp(row) && isSnapshotStamp(row)).to.equal(true);
    expect(row < (stampOf(MADE, '1') ?? '')).to.equal(true);
    expect(row > (stampOf(MADE - 1, '9'.repeat(40)) ?? '')).to.equal(true);
    expect(isSnapshotStamp(stampOf(MADE, '10') ?? '')).to.equal(false);
  });

  it('is not made of what is no sequence number', () => {
    for (const text of ['', 'a', '-1', '1.5', '1'.repeat(41)]) expect(stampOf(MADE, text), text).to.equal(undefined);
  });
});
