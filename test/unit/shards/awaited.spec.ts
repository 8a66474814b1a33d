import { expect } from 'chai';
import type { LeaseRow } from '../../../src/ports/lease-store.ts';
import { Awaited } from '../../../src/shards/awaited.ts';

const row = (key: string, owner: string, lastOwner?: string): LeaseRow => ({
  key,
  owner,
  counter: 1,
  ownerSwitches: 0,
  parents: [],
  children: [],
  positions: new Map(),
  checkpoint: 'TRIM_HORIZON',
  ...(lastOwner !== undefined && { lastOwner }),
});

/** Two intervals of 3 s, and 5 s. */
const LIMIT_MS = 11_000;

describe('shards/awaited', () => {
  let counter = 0;
  /** All owners are alive: every look finds counters moved. */
  const look = (awaited: Awaited, rows: readonly LeaseRow[], at: number, keys = rows.map(({ key }) => key)) => {
    counter += 1;
    const now = rows.map(each => ({ ...each, counter }));
    return awaited.look(now, new Set(keys), at).map(({ key }) => key);
  };

  it('is reported once, when its owner has kept it for too long and has moved its counter since', () => {
    const awaited = new Awaited(3_000);
    const rows = [row('a', 'x')];
    expect(look(awaited, rows, 100)).to.deep.equal([]);
    expect(look(awaited, rows, 99 + LIMIT_MS)).to.deep.equal([]);
    expect(look(awaited, rows, 100 + LIMIT_MS)).to.deep.equal([]);
    expect(look(awaited, rows, 200 + LIMIT_MS)).to.deep.equal(['a']);
    expect(look(awaited, rows, 60_000)).to.deep.equal([]);
  });

  it('is not while the owner may be dead', () => {
    const awaited = new Awaited(3_000);
    for (let at = 0; at < 60_000; at += 1_000) expect(awaited.look([row('a', 'x')], new Set(['a']), at)).to.deep.equal([]);
  });

  it('begins anew when it was not awaited for a while, or came to another owner', () => {
    const awaited = new Awaited(3_000);
    const rows = [row('a', 'x'), row('b', 'x')];
    const reported: [number, string[]][] = [];
    for (let at = 0; at <= 40_000; at += 1_000) {
      const now = at < 20_000 ? rows : [row('a', 'x'), row('b', 'y')];
      const stuck = look(awaited, now, at, at === 6_000 ? ['b'] : ['a', 'b']);
      if (stuck.length > 0) reported.push([at, stuck]);
    }
    expect(reported).to.deep.equal([
      [12_000, ['b']],
      [19_000, ['a']],
      [32_000, ['b']],
    ]);
  });

  it('what was handed to its owner may stay there for half a minute', () => {
    const awaited = new Awaited(3_000);
    look(awaited, [row('a', 'x', 'w')], 0, []);
    const rows = [row('a', 'y', 'x')];
    look(awaited, rows, 5_000);
    expect(look(awaited, rows, 34_999 + LIMIT_MS)).to.deep.equal([]);
    look(awaited, rows, 35_000 + LIMIT_MS);
    expect(look(awaited, rows, 35_001 + LIMIT_MS)).to.deep.equal(['a']);
  });
});
