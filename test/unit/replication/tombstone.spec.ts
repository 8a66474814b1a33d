import { expect } from 'chai';
import { mirrorRules } from '../../../src/replication/mirror-rules.ts';
import { stampOf } from '../../../src/replication/stamp.ts';
import { readTombstone, tombstoneKey, tombstoneRow } from '../../../src/replication/tombstone.ts';

const s = stampOf(1, '7') ?? '';

describe('tombstone', () => {
  it('has a key of its own for each item and table, and none that is too long', () => {
    const keys = [tombstoneKey('ab', 'Sc'), tombstoneKey('a', 'bSc'), tombstoneKey('ab', 'Nc'), tombstoneKey('ab', `S${'x'.repeat(2048)}`)];
    expect(new Set(keys).size).to.equal(4);
    for (const key of keys) expect(key).to.match(/^[\w-]{43}$/);
  });

  it('is read as it was written', () => {
    const place = { key: tombstoneKey('copy', 'Sa'), table: 'copy', keys: { pk: { S: 'a' } } };
    const rules = mirrorRules({ writer: 'shop/orders', stampAttribute: '_tm' });
    const version = { s, p: 'shop/orders', removed: true };
    const row = tombstoneRow(place, rules.tombstoneFields(version), { now: 1_500, days: 7, againAt: 99 });
    expect(row['expires']).to.deep.equal({ N: String(2 + 7 * 86_400) });
    expect(readTombstone(row)).to.deep.equal({ ...place, version, againAt: 99 });
    expect(
      readTombstone(tombstoneRow(place, { o: { S: 'eu' }, s: { S: s }, v: { N: '3' } }, { now: 0, days: 1, againAt: undefined })),
    ).to.deep.equal({
      ...place,
      version: { s, o: 'eu', v: { N: '3' }, removed: true },
    });
    expect(readTombstone({ key: { S: 'x' } })).to.equal(undefined);
  });
});
