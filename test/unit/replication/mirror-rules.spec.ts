import { expect } from 'chai';
import fc from 'fast-check';
import type { Item } from '../../../src/model/item.ts';
import { mirrorMarker } from '../../../src/replication/marker.ts';
import { mirrorRules } from '../../../src/replication/mirror-rules.ts';
import { snapshotStamp, stampOf } from '../../../src/replication/stamp.ts';
import { tombstoneRow } from '../../../src/replication/tombstone.ts';
import type { Condition } from '../../../src/replication/versions.ts';
import { checkUsed, holds } from '../../fakes/fake-expressions.ts';
import { changeRecord, recordSource, suiteKey } from '../../fakes/records.ts';

const US = 'shop/orders';
const rules = mirrorRules({ writer: US, stampAttribute: '_tm' });
const stamp = fc.integer({ min: 1, max: 4 }).map(n => stampOf(1, String(n)) ?? '');
const writer = fc.constantFrom(US, 'shop/others');
const version = stamp.map(s => ({ s, p: US, removed: false }));
const item: fc.Arbitrary<Item | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constant({ pk: { S: 'a' } }),
  fc.tuple(stamp, writer).map(([s, p]) => ({ pk: { S: 'a' }, _tm: mirrorMarker(s, p) })),
);

function met(condition: Condition, on: Item | undefined): boolean {
  checkUsed([condition.ConditionExpression], condition);
  return holds(condition.ConditionExpression, on, condition);
}

const stampIn = (on: Item) => (on['_tm'] as { M: { s: { S: string }; p: { S: string } } } | undefined)?.M;

describe('mirror rules', () => {
  it('let a put in on nothing, on what is not ours, and on something older', () => {
    fc.assert(
      fc.property(version, item, (v, on) => {
        const held = on && stampIn(on);
        const older = !held || held.p.S !== US || held.s.S < v.s;
        expect(met(rules.putIf(v, ['pk']), on)).to.equal(older);
        expect(met(rules.removeIf(v), on)).to.equal(older);
        expect(met(rules.removeAgainIf(v), on), 'again: only what we wrote').to.equal(held?.p.S === US && held.s.S < v.s);
      }),
    );
  });

  it('never touch an item whose attribute is of another shape', () => {
    for (const _tm of [{ S: 'text' }, { N: '1' }, { M: {} }, { M: { s: { S: '0' } } }, { L: [] }]) {
      const on = { pk: { S: 'a' }, _tm };
      const v = { s: stampOf(1, '9') ?? '', p: US, removed: false };
      expect([met(rules.putIf(v, ['pk']), on), met(rules.removeIf(v), on), met(rules.removeAgainIf(v), on)]).to.deep.equal([
        false,
        false,
        false,
      ]);
      expect(rules.standing(v, on)).to.equal('foreign');
    }
  });

  it('let a scanned row in on nothing only', () => {
    fc.assert(
      fc.property(item, on => {
        const row = { s: snapshotStamp(1), p: US, removed: false };
        expect(met(rules.putIf(row, ['pk']), on)).to.equal(on === undefined);
        if (on) expect(rules.standing(row, on)).to.equal('newer');
      }),
    );
  });

  it("raise a tombstone only, and hold puts against it; another pipeline's counts as older", () => {
    fc.assert(
      fc.property(stamp, stamp, writer, (there, comes, p) => {
        const row = tombstoneRow({ key: 'k', table: 't', keys: {} }, rules.tombstoneFields({ s: there, p, removed: true }), {
          now: 0,
          days: 1,
          againAt: undefined,
        });
        const below = p !== US || there < comes;
        expect(met(rules.tombstoneIf({ s: comes, p: US, removed: true }), row)).to.equal(below);
        expect(met(rules.noTombstoneIf({ s: comes, p: US, removed: false }), row)).to.equal(below);
        expect(met(rules.noTombstoneIf({ s: snapshotStamp(1), p: US, removed: false }), row), 'a scanned row').to.equal(p !== US);
      }),
    );
    expect(met(rules.tombstoneIf({ s: stampOf(1, '1') ?? '', removed: true }), undefined)).to.equal(true);
  });

  it('tell an equal version from a newer one', () => {
    const v = { s: stampOf(1, '5') ?? '', p: US, removed: false };
    const at = (n: number, p = US) => ({ _tm: mirrorMarker(stampOf(1, String(n)) ?? '', p) });
    expect([rules.standing(v, undefined), rules.standing(v, at(5)), rules.standing(v, at(6))]).to.deep.equal(['nothing', 'same', 'newer']);
  });

  it('read a record: its stamp, its image without a stamp of a mirror before it, a removal', () => {
    const after = { ...suiteKey('a'), n: { N: '1' } };
    const read = (more: Parameters<typeof changeRecord>[0]) => rules.read(changeRecord(more), 0);
    const s = stampOf(recordSource().streamCreatedAt, '100000000000000000001') ?? '';
    expect(read({ after })).to.deep.equal({ is: 'put', version: { s, p: US, removed: false }, image: after });
    expect(read({ after: { ...after, _tm: mirrorMarker(s, 'up/stream') } })).to.deep.equal({
      is: 'put',
      version: { s, p: US, removed: false },
      image: after,
    });
    expect(read({ kind: 'remove' })).to.deep.equal({ is: 'remove', version: { s, p: US, removed: true } });
    const foreign = read({ after: { ...after, _tm: { S: 'mine' } } });
    expect(foreign).to.include({ is: 'refused' });
    expect('reason' in foreign && foreign.reason).to.match(/"_tm".*stampAttribute/);
    expect(read({ token: 'x' })).to.include({ is: 'refused' });
  });
});
