import { expect } from 'chai';
import fc from 'fast-check';
import { isFull, ReadPace, ThrottleNotice, troubleMs } from '../../../src/shards/read-pace.ts';

const EMPTY = { records: 0, bytes: 20 };
const FEW = { records: 3, bytes: 900 };

describe('pace of reads', () => {
  it('a page is full at 1,000 records or 0.9 MB', () => {
    expect([isFull({ records: 1_000, bytes: 1 }), isFull({ records: 2, bytes: 900_000 })]).to.deep.equal([true, true]);
    expect([isFull({ records: 999, bytes: 899_999 }), isFull(EMPTY)]).to.deep.equal([false, false]);
  });

  it('by default nothing ever waits longer than pollMilliseconds', () => {
    const pace = new ReadPace({ pollMs: 250, idleMs: 250 });
    for (let i = 0; i < 100; i++) expect(pace.after(EMPTY, false)).to.equal(250);
    expect(pace.after({ records: 1_000, bytes: 1 }, false)).to.equal(0);
  });

  it('after 30 empty pages of an open shard the wait doubles up to idleMilliseconds; a record ends that', () => {
    const pace = new ReadPace({ pollMs: 250, idleMs: 1_500 });
    const waits = Array.from({ length: 34 }, () => pace.after(EMPTY, false));
    expect(waits.slice(0, 30)).to.deep.equal(Array(30).fill(250));
    expect(waits.slice(30)).to.deep.equal([500, 1_000, 1_500, 1_500]);
    expect([pace.after(FEW, false), pace.after(EMPTY, false)]).to.deep.equal([250, 250]);
  });

  it('of a closed shard it never does', () => {
    const pace = new ReadPace({ pollMs: 250, idleMs: 60_000 });
    for (let i = 0; i < 100; i++) expect(pace.after(EMPTY, true)).to.equal(250);
  });

  it('an idleMilliseconds below pollMilliseconds shortens nothing', () => {
    const pace = new ReadPace({ pollMs: 1_000, idleMs: 250 });
    for (let i = 0; i < 40; i++) expect(pace.after(EMPTY, false)).to.equal(1_000);
  });

  it('an end that is not confirmed is asked about at a growing distance, a second at most', () => {
    const pace = new ReadPace({ pollMs: 250, idleMs: 250 });
    const waits = () => Array.from({ length: 4 }, () => pace.afterUnconfirmedEnd());
    expect(waits()).to.deep.equal([250, 500, 1_000, 1_000]);
    pace.after(FEW, false);
    expect(waits()).to.deep.equal([250, 500, 1_000, 1_000]);
  });

  it('trouble is waited out between 100 ms and 10 s, with full jitter', () => {
    const random = (next: number) => ({ next: () => next, uuid: () => '' });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, chance) => {
        expect(troubleMs(failures, random(chance))).to.be.within(100, 10_000);
      }),
    );
    expect([1, 3, 7, 50].map(failures => Math.round(troubleMs(failures, random(0.5))))).to.deep.equal([150, 450, 5_050, 5_050]);
  });

  it('throttles are said after five within a minute, and again after ten', () => {
    const notice = new ThrottleNotice();
    const said = (times: readonly number[]) => times.filter(at => notice.isDue(at));
    expect(said([0, 20_000, 40_000, 60_000, 80_000, 100_000])).to.deep.equal([]);
    expect(said([110_000, 111_000, 112_000, 113_000, 114_000, 200_000])).to.deep.equal([111_000]);
    const flood = Array.from({ length: 700 }, (_, i) => 300_000 + i * 1_000);
    expect(said(flood)).to.deep.equal([711_000]);
  });
});
