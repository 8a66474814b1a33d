import { expect } from 'chai';
import fc from 'fast-check';
import type { Item } from '../../../src/model/item.ts';
import { type VersionValue, versionMarker } from '../../../src/replication/marker.ts';
import { stampOf } from '../../../src/replication/stamp.ts';
import { tombstoneRow } from '../../../src/replication/tombstone.ts';
import { compareVersions, versionRules } from '../../../src/replication/version-rules.ts';
import type { Condition, Rules, Version } from '../../../src/replication/versions.ts';
import { checkUsed, holds } from '../../fakes/fake-expressions.ts';
import { changeRecord, suiteKey } from '../../fakes/records.ts';

const REGIONS = ['ap', 'eu', 'us'] as const;

function rulesFor(from: string, to: string, missing: 'reject' | 'lowest' = 'lowest'): Rules {
  const attribute = { name: 'v', kind: 'counter', missing, maxAheadSeconds: 900 } as const;
  return versionRules({ attribute, stampAttribute: '_tm', from, to });
}

const stamp = fc.integer({ min: 1, max: 3 }).map(n => stampOf(1, String(n)) ?? '');
const value: fc.Arbitrary<VersionValue | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 3 }).map(n => ({ N: String(n) })) },
  { weight: 1, arbitrary: fc.constant(undefined) },
);
const version: fc.Arbitrary<Version & { readonly o: string }> = fc.record({
  s: stamp,
  o: fc.constantFrom(...REGIONS),
  v: value,
  removed: fc.constant(false),
});

/** What an item says of itself: replicated if its marker fits, else written in its own region. */
interface Held {
  readonly item: Item;
  readonly version: Version;
}

const heldIn = (to: string): fc.Arbitrary<Held> =>
  fc.oneof(
    version.map(each => ({ item: itemOf(each.v, versionMarker(each.o, each.s, each.v)), version: each })),
    // A marker left from before an application's update, or none, or somebody else's.
    fc
      .tuple(value, fc.constantFrom(undefined, versionMarker('us', stampOf(1, '9') ?? '', { N: '0' }), { S: 'theirs' }))
      .map(([v, marker]) => ({ item: itemOf(v, marker), version: { s: '', o: to, v, removed: false } })),
  );

function itemOf(v: VersionValue | undefined, marker: Item[string] | undefined): Item {
  return { pk: { S: 'a' }, ...(v && { v }), ...(marker && { _tm: marker }) };
}

function met(condition: Condition, on: Item | undefined): boolean {
  checkUsed([condition.ConditionExpression], condition);
  return holds(condition.ConditionExpression, on, condition);
}

describe('version rules', () => {
  for (const [from, to] of [
    ['us', 'eu'],
    ['eu', 'us'],
  ] as const) {
    it(`let a put from ${from} into ${to} in exactly when it is higher`, () => {
      fc.assert(
        fc.property(version, heldIn(to), ({ ...comes }, held) => {
          const version = { ...comes, o: from };
          const rules = rulesFor(from, to);
          expect(met(rules.putIf(version, ['pk']), held.item)).to.equal(compareVersions(version, held.version) > 0);
          expect(met(rules.putIf(version, ['pk']), undefined)).to.equal(true);
          // A removal beats a put of the same attribute.
          expect(met(rules.removeIf({ ...version, removed: true }), held.item)).to.equal(
            compareVersions({ ...version, removed: true }, held.version) > 0,
          );
        }),
        { numRuns: 2_000 },
      );
    });
  }

  it('give both directions the same winner of a tie', () => {
    const [there, here] = [rulesFor('us', 'eu'), rulesFor('eu', 'us')];
    const written = { pk: { S: 'a' }, v: { N: '5' } };
    const s = stampOf(1, '1') ?? '';
    const usIntoEu = met(there.putIf({ s, o: 'us', v: { N: '5' }, removed: false }, ['pk']), written);
    const euIntoUs = met(here.putIf({ s, o: 'eu', v: { N: '5' }, removed: false }, ['pk']), written);
    expect([usIntoEu, euIntoUs]).to.deep.equal([true, false]);
  });

  it('leave an item of unknown version alone where such items are refused', () => {
    const rules = rulesFor('us', 'eu', 'reject');
    const v = { s: stampOf(1, '1') ?? '', o: 'us', v: { N: '5' }, removed: false };
    expect(met(rules.putIf(v, ['pk']), { pk: { S: 'a' } })).to.equal(false);
    expect(met(rules.removeIf(v), { pk: { S: 'a' } })).to.equal(false);
  });

  it('raise tombstones in the order of versions, and let a put pass only a lower one', () => {
    fc.assert(
      fc.property(version, version, (there, comes) => {
        const rules = rulesFor('us', 'eu');
        const life = { now: 0, days: 1, againAt: undefined };
        const row = tombstoneRow({ key: 'k', table: 't', keys: {} }, rules.tombstoneFields({ ...there, removed: true }), life);
        const higher = compareVersions({ ...comes, removed: true }, { ...there, removed: true }) > 0;
        expect(met(rules.tombstoneIf({ ...comes, removed: true }), row)).to.equal(higher);
        expect(met(rules.noTombstoneIf(comes), row)).to.equal(compareVersions(comes, { ...there, removed: true }) > 0);
        const mirrors = { key: { S: 'k' }, s: { S: there.s }, p: { S: 'shop/orders' } };
        expect(met(rules.tombstoneIf({ ...comes, removed: true }), mirrors), 'one of mode mirror is older').to.equal(true);
        expect(met(rules.noTombstoneIf(comes), mirrors)).to.equal(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('order versions: the attribute, then removals, then the region, then the stamp', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).to.equal(-Math.sign(compareVersions(b, a)));
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) expect(compareVersions(a, c)).to.be.at.most(0);
      }),
    );
  });

  describe('read', () => {
    const rules = rulesFor('us', 'eu', 'reject');
    const s = stampOf(1, '5') ?? '';
    const image = { ...suiteKey('a'), v: { N: '7' } };
    const ours = { ...image, _tm: versionMarker('eu', s, { N: '7' }) };
    const read = (more: Parameters<typeof changeRecord>[0]) => rules.read(changeRecord(more), 0);

    it("an application's write, also over a stale marker", () => {
      const stale = { ...image, _tm: versionMarker('eu', s, { N: '6' }) };
      for (const after of [image, stale]) {
        const reading = read({ kind: 'modify', before: { ...image, v: { N: '6' } }, after });
        expect(reading).to.deep.include({ is: 'put', image });
        expect('version' in reading && reading.version.o).to.equal('us');
      }
    });

    it('a write of ours, which is not shipped on', () => {
      expect(read({ after: ours })).to.deep.equal({ is: 'ours' });
      expect(read({ kind: 'modify', before: image, after: ours })).to.deep.equal({ is: 'ours' });
    });

    it("a write that kept marker and attribute as an application's", () => {
      expect(read({ kind: 'modify', before: ours, after: { ...ours, n: { N: '2' } } })).to.include({ is: 'put' });
    });

    it('a scanned row of ours with the version that it says', () => {
      const base = changeRecord({ after: ours });
      const reading = rules.read({ ...base, source: { ...base.source, origin: 'snapshot' } }, 0);
      expect(reading).to.deep.equal({ is: 'put', version: { o: 'eu', s, v: { N: '7' }, removed: false }, image });
    });

    it('a removal with the version of what was removed; without old image, version or place it is refused', () => {
      const removal = read({ kind: 'remove', before: ours });
      expect('version' in removal && removal.version).to.deep.include({ o: 'us', v: { N: '7' }, removed: true });
      expect(read({ kind: 'remove', before: suiteKey('a') })).to.include({ is: 'refused' });
      const bare = changeRecord({ kind: 'remove', before: image });
      const { before: _, ...without } = bare;
      expect(rules.read(without, 0)).to.include({ is: 'refused' });
      expect(read({ after: { ...image, _tm: { S: 'theirs' } } })).to.include({ is: 'refused' });
    });
  });
});
