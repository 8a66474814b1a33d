import { expect } from 'chai';
import type { LeaseRow } from '../../../src/ports/lease-store.ts';
import { type LeaseView, leasePlan } from '../../../src/shards/lease-plan.ts';
import { Sightings } from '../../../src/shards/sightings.ts';

function row(key: string, owner?: string, counter = 1): LeaseRow {
  const bare = { key, counter, ownerSwitches: 0, parents: [], children: [], positions: new Map(), checkpoint: 'TRIM_HORIZON' };
  return owner === undefined ? bare : { ...bare, owner };
}

function planOf(
  rows: readonly LeaseRow[],
  more: Partial<Record<'runnable' | 'expired' | 'leftOver' | 'held' | 'unsettled', readonly string[]>> = {},
) {
  const view: LeaseView = {
    rows,
    me: 'me',
    runnable: new Set(more.runnable ?? rows.map(({ key }) => key)),
    expired: new Set(more.expired),
    leftOver: new Set(more.leftOver),
    held: new Set(more.held),
    pinned: new Set(),
    going: new Set(),
    movesLeft: 100,
    workers: [{ id: 'me', weight: 1, draining: false, serves: new Set(['']), unable: new Set(more.unsettled) }],
  };
  const plan = leasePlan(view);
  return { take: plan.take.map(({ key }) => key), release: plan.release };
}

describe('lease plan', () => {
  const cases: readonly (readonly [string, ReturnType<typeof planOf>, { take?: string[]; release?: string[] }])[] = [
    ['takes what nobody owns', planOf([row('a')]), { take: ['a'] }],
    ['leaves a live owner alone', planOf([row('a', 'other')]), {}],
    ['takes from an owner that has not moved', planOf([row('a', 'other')], { expired: ['a'] }), { take: ['a'] }],
    [
      'takes what nobody else has taken an interval after it expired',
      planOf([row('a', 'other')], { expired: ['a'], leftOver: ['a'] }),
      { take: ['a'] },
    ],
    ['takes what names it and is not held: a take whose answer was lost', planOf([row('a', 'me')]), { take: ['a'] }],
    ['keeps what it holds', planOf([row('a', 'me')], { held: ['a'] }), {}],
    ['keeps what it holds though it looks expired', planOf([row('a', 'me')], { held: ['a'], expired: ['a'] }), {}],
    ['leaves what is not worth it', planOf([row('a'), row('b', 'x')], { runnable: [], expired: ['b'] }), {}],
    ['lets go of what is not worth it any more', planOf([row('a', 'me')], { held: ['a'], runnable: [] }), { release: ['a'] }],
    ['waits for what has not settled here', planOf([row('a', 'me'), row('b')], { unsettled: ['a', 'b'] }), {}],
  ];
  for (const [name, plan, { take = [], release = [] }] of cases) {
    it(name, () => {
      expect(plan).to.deep.equal({ take, release });
    });
  }
});

describe('sightings', () => {
  it('count from the first look at an unmoved counter', () => {
    const sightings = new Sightings();
    sightings.look([row('a', 'x', 5), row('free')], 100);
    expect([...sightings.expired(10_099, 10_000)]).to.deep.equal([]);
    expect(sightings.nextExpiry(['a', 'free'], 200, 10_000)).to.equal(10_100);
    sightings.look([row('a', 'x', 5), row('free')], 5_000);
    expect([...sightings.expired(10_100, 10_000)]).to.deep.equal(['a']);
    expect(sightings.nextExpiry(['a'], 10_100, 10_000)).to.equal(undefined);
  });

  it('begin again when the counter or the owner moves', () => {
    const sightings = new Sightings();
    sightings.look([row('a', 'x', 5), row('b', 'x', 5)], 0);
    sightings.look([row('a', 'x', 6), row('b', 'y', 5)], 9_000);
    expect([...sightings.expired(18_999, 10_000)]).to.deep.equal([]);
    expect([...sightings.expired(19_000, 10_000)]).to.deep.equal(['a', 'b']);
  });

  it('forget rows that are gone', () => {
    const sightings = new Sightings();
    sightings.look([row('a', 'x')], 0);
    sightings.look([], 1);
    sightings.look([row('a', 'x')], 20_000);
    expect([...sightings.expired(20_001, 10_000)]).to.deep.equal([]);
  });
});
