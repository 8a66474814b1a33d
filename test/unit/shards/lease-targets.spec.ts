import { expect } from 'chai';
import fc from 'fast-check';
import type { LeaseKey, LeaseRow } from '../../../src/ports/lease-store.ts';
import { leasePlan } from '../../../src/shards/lease-plan.ts';
import { type Candidate, leaseTargets, type TargetView } from '../../../src/shards/lease-targets.ts';

const ARN = 'arn:stream';

function row(n: number, owner?: string, more: Partial<LeaseRow> = {}): LeaseRow {
  const key = `${ARN}:s${String(n).padStart(4, '0')}`;
  const bare = { key, counter: 1, ownerSwitches: 0, parents: [], children: [], positions: new Map(), checkpoint: 'TRIM_HORIZON' };
  return { ...bare, ...(owner !== undefined && { owner }), ...more };
}

function worker(id: string, more: Partial<Candidate> = {}): Candidate {
  return { id, weight: 1, draining: false, serves: new Set([ARN]), unable: new Set(), ...more };
}

function viewOf(rows: readonly LeaseRow[], workers: readonly Candidate[], expired: readonly LeaseKey[] = []): TargetView {
  return { rows, workers, runnable: new Set(rows.map(({ key }) => key)), expired: new Set(expired) };
}

const countsOf = (targets: ReadonlyMap<LeaseKey, string>, workers: readonly Candidate[]) =>
  workers.map(({ id }) => [...targets.values()].filter(target => target === id).length);

/** Everybody has obeyed. */
const settled = (rows: readonly LeaseRow[], targets: ReadonlyMap<LeaseKey, string>) =>
  rows.map(one => ({ ...one, owner: targets.get(one.key) ?? 'none' }));

const fleets = fc
  .record({
    workers: fc.integer({ min: 1, max: 8 }),
    owners: fc.array(fc.option(fc.nat({ max: 9 }), { nil: undefined }), { maxLength: 60 }),
  })
  .map(({ workers, owners }) => ({
    // Owners beyond the workers are dead or not known here.
    rows: owners.map((owner, n) => row(n, owner === undefined ? undefined : `w${owner}`)),
    workers: Array.from({ length: workers }, (_, n) => worker(`w${n}`)),
  }));

describe('lease targets', () => {
  it('every runnable row has exactly one target, and shares differ by one at most', () => {
    fc.assert(
      fc.property(fleets, ({ rows, workers }) => {
        const targets = leaseTargets(viewOf(rows, workers));
        expect(targets.size).to.equal(rows.length);
        const counts = countsOf(targets, workers);
        expect(Math.max(...counts) - Math.min(...counts)).to.be.at.most(1);
      }),
    );
  });

  it('are the same for all workers that see the same, in whatever order they see it', () => {
    fc.assert(
      fc.property(fleets, fc.infiniteStream(fc.nat()), ({ rows, workers }, dice) => {
        const shuffled = <T>(list: readonly T[]) => list.map(one => ({ one, at: dice.next().value })).sort((a, b) => a.at - b.at);
        const other = viewOf(
          shuffled(rows).map(({ one }) => one),
          shuffled(workers).map(({ one }) => one),
        );
        const sorted = (targets: ReadonlyMap<LeaseKey, string>) => [...targets].sort();
        expect(sorted(leaseTargets(other))).to.deep.equal(sorted(leaseTargets(viewOf(rows, workers))));
      }),
    );
  });

  it('stay where they are once everybody has obeyed', () => {
    fc.assert(
      fc.property(fleets, ({ rows, workers }) => {
        const targets = leaseTargets(viewOf(rows, workers));
        const again = leaseTargets(viewOf(settled(rows, targets), workers));
        expect([...again]).to.have.deep.members([...targets]);
      }),
    );
  });

  it('nothing moves that is balanced, also when some rows are not runnable for a while', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 40 }), (count, rowCount) => {
        const workers = Array.from({ length: count }, (_, n) => worker(`w${n}`));
        const rows = Array.from({ length: rowCount }, (_, n) => row(n, `w${n % count}`));
        const whole = leaseTargets(viewOf(rows, workers));
        expect(rows.every(({ key, owner }) => whole.get(key) === owner)).to.equal(true);
        const fewer = rows.slice(0, Math.max(0, rowCount - 1));
        const targets = leaseTargets(viewOf(fewer, workers));
        expect(fewer.every(({ key, owner }) => targets.get(key) === owner)).to.equal(true);
      }),
    );
  });

  it('a worker that comes takes its share and moves nothing else; one that goes leaves the rest where it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 7 }), fc.integer({ min: 0, max: 60 }), (count, rowCount) => {
        const workers = Array.from({ length: count }, (_, n) => worker(`w${n}`));
        const few = workers.slice(1);
        const rows = settled(
          ...((all: LeaseRow[]) => [all, leaseTargets(viewOf(all, few))] as const)(Array.from({ length: rowCount }, (_, n) => row(n))),
        );
        const joined = leaseTargets(viewOf(rows, workers));
        const moved = rows.filter(({ key, owner }) => joined.get(key) !== owner);
        expect(moved.every(({ key }) => joined.get(key) === 'w0')).to.equal(true);
        const all = settled(rows, joined);
        const left = leaseTargets(viewOf(all, few));
        expect(all.filter(({ key, owner }) => owner !== 'w0' && left.get(key) !== owner)).to.deep.equal([]);
      }),
    );
  });

  it('weights are shares', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }), fc.nat({ max: 80 }), (weights, rowCount) => {
        const workers = weights.map((weight, n) => worker(`w${n}`, { weight }));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const targets = leaseTargets(
          viewOf(
            Array.from({ length: rowCount }, (_, n) => row(n)),
            workers,
          ),
        );
        for (const [n, count] of countsOf(targets, workers).entries())
          expect(count - Math.floor((rowCount * (weights[n] ?? 0)) / total)).to.be.within(0, 1);
      }),
    );
  });

  const one = (targets: ReadonlyMap<LeaseKey, string>) => [...targets.values()];
  const cases: readonly (readonly [string, ReadonlyMap<LeaseKey, string>, readonly string[]])[] = [
    ['a draining worker passes its rows on', leaseTargets(viewOf([row(1, 'a')], [worker('a', { draining: true }), worker('b')])), ['b']],
    [
      'who cannot serve the stream gets nothing',
      leaseTargets(viewOf([row(1), row(2)], [worker('a'), worker('b', { serves: new Set() })])),
      ['a', 'a'],
    ],
    [
      'an unsettled row is never meant for its holder',
      leaseTargets(viewOf([row(1)], [worker('a', { unable: new Set([row(1).key]) }), worker('b')])),
      ['b'],
    ],
    ['a row that nobody can take is nobody’s', leaseTargets(viewOf([row(1)], [worker('a', { unable: new Set([row(1).key]) })])), []],
    ['whoever let it expire comes last', leaseTargets(viewOf([row(1, 'a')], [worker('a'), worker('b')], [row(1).key])), ['b']],
    ['but it has it when there is no other', leaseTargets(viewOf([row(1, 'a')], [worker('a')], [row(1).key])), ['a']],
  ];
  for (const [name, targets, expected] of cases) {
    it(name, () => {
      expect(one(targets)).to.deep.equal(expected);
    });
  }

  it('a child goes to who read its parent last', () => {
    for (const id of ['a', 'b', 'c']) {
      const parent = row(0, undefined, { lastOwner: id });
      const child = row(1, undefined, { parents: ['s0000'] });
      const view = { ...viewOf([parent, child], [worker('a'), worker('b'), worker('c')]), runnable: new Set([child.key]) };
      expect(one(leaseTargets(view))).to.deep.equal([id]);
      const more = Array.from({ length: 5 }, (_, n) => row(n + 2, ['a', 'b', 'c'].filter(other => other !== id)[n % 2]));
      const roomy = leaseTargets({ ...view, rows: [...view.rows, ...more], runnable: new Set([child, ...more].map(({ key }) => key)) });
      expect(roomy.get(child.key)).to.equal(id);
    }
  });
});

describe('lease plan with others', () => {
  const workers = [worker('me'), worker('you')];
  const plan = (more: Partial<Parameters<typeof leasePlan>[0]> = {}) => {
    const rows = [row(1, 'me'), row(2, 'me'), row(3, 'me'), row(4, 'me')];
    const held = new Set(rows.map(({ key }) => key));
    return leasePlan({
      ...viewOf(rows, workers),
      me: 'me',
      held,
      pinned: new Set(),
      going: new Set(),
      leftOver: new Set(),
      movesLeft: 10,
      ...more,
    });
  };

  it('hands over what is over its share', () => {
    expect(plan().handOver).to.deep.equal([row(3), row(4)].map(({ key }) => ({ key, target: 'you' })));
  });

  it('not more than may be moved now, and not what is pinned', () => {
    expect(plan({ movesLeft: 1 }).handOver).to.have.length(1);
    expect(plan({ movesLeft: -3 }).handOver).to.deep.equal([]);
    expect(plan({ going: new Set([row(3).key]) }).handOver).to.deep.equal([{ key: row(4).key, target: 'you' }]);
    expect(plan({ pinned: new Set([1, 2, 3].map(n => row(n).key)) }).handOver).to.deep.equal([{ key: row(4).key, target: 'you' }]);
  });

  it('gives another for what is pinned', () => {
    const targets = plan({ pinned: new Set([row(3).key]) }).handOver;
    expect(targets).to.deep.equal([row(1), row(4)].map(({ key }) => ({ key, target: 'you' })));
  });

  it('never takes from a live owner, and takes what was handed to it', () => {
    const rows = [row(1, 'you'), row(2, 'you'), row(3, 'you'), row(4, 'me', { handoffFrom: 'you' }), row(5)];
    const { take, freeFor } = plan({ ...viewOf(rows, workers), held: new Set() });
    expect([take.map(({ key }) => key), freeFor.size]).to.deep.equal([[row(4).key, row(5).key], 0]);
  });

  it('knows what has come free for others', () => {
    const rows = [row(1, 'me'), row(2)];
    const { take, freeFor } = plan({ ...viewOf(rows, workers), held: new Set([row(1).key]) });
    expect([take, [...freeFor]]).to.deep.equal([[], [[row(2).key, 'you']]]);
  });

  it('what was left over an interval after it expired is taken whosever it is', () => {
    const rows = [row(1, 'me'), row(2, 'me'), row(3, 'dead'), row(4, 'dead')];
    const keys = [row(3).key, row(4).key];
    const more = { ...viewOf(rows, workers, keys), held: new Set([row(1).key, row(2).key]) };
    expect(plan(more).take).to.deep.equal([]);
    expect(plan({ ...more, leftOver: new Set([row(4).key]) }).take.map(({ key }) => key)).to.deep.equal([row(4).key]);
  });
});
