import { expect } from 'chai';
import { comparePositions, type Position } from '../../../src/model/position.ts';
import { ShardCursor } from '../../../src/shards/shard-cursor.ts';
import { SOURCE, simpleRecord } from '../../fakes/pipeline-world.ts';

const HORIZON = { type: 'TRIM_HORIZON' } as const;
const DAY = 24 * 3_600_000;
const at = SOURCE.streamCreatedAt;
const record = (n: number) => simpleRecord(n, 'k');
const tokens = (...numbers: number[]) => numbers.map(n => record(n).token);
const past = (n: number): Position => ({ at: 'after', token: record(n).token, changedAt: at });
const taken = (cursor: ShardCursor, ...numbers: number[]) => cursor.take(numbers.map(record), at).records.map(({ token }) => token);

describe('shard cursor', () => {
  it('asks for the iterator of its place', () => {
    const { token } = record(5);
    const places: [Position, object][] = [
      [{ at: 'start' }, HORIZON],
      [{ at: 'tip', takenAt: at }, HORIZON],
      [
        { at: 'from', token, changedAt: at },
        { type: 'AT_SEQUENCE_NUMBER', token },
      ],
      [
        { at: 'after', token, changedAt: at },
        { type: 'AFTER_SEQUENCE_NUMBER', token },
      ],
    ];
    for (const [from, place] of places) expect(new ShardCursor(from, {}).iteratorPlace()).to.deep.equal(place);
    expect(new ShardCursor({ at: 'tip', takenAt: at }, {}).iteratorPlace()).to.deep.equal(HORIZON);
    expect(new ShardCursor(past(5), {}).iteratorPlace()).to.deep.include({ type: 'AFTER_SEQUENCE_NUMBER' });
  });

  it('moves by what was delivered, not by what was read', () => {
    const cursor = new ShardCursor(past(1), {});
    expect(taken(cursor, 2, 3)).to.deep.equal(tokens(2, 3));
    expect(cursor.iteratorPlace()).to.deep.include({ token: record(1).token });
    cursor.delivered([record(2), record(3)]);
    expect(cursor.iteratorPlace()).to.deep.include({ token: record(3).token });
    cursor.delivered([]);
    expect(cursor.iteratorPlace()).to.deep.include({ token: record(3).token });
  });

  it('a lost number is read for at the oldest record until something was delivered', () => {
    const cursor = new ShardCursor(past(5), {});
    cursor.loseNumber('lost');
    expect(cursor.iteratorPlace()).to.deep.equal(HORIZON);
    cursor.opened(HORIZON, at);
    expect(cursor.take([record(8)], at)).to.deep.equal({
      records: [record(8)],
      gap: { reason: 'trimmed', at, note: 'lost', from: record(5).token, to: record(8).token },
    });
    cursor.delivered([record(8)]);
    expect(cursor.iteratorPlace()).to.deep.include({ type: 'AFTER_SEQUENCE_NUMBER' });
  });

  it('a hole that was proven empty opens again when the oldest record is looked for once more', () => {
    const cursor = new ShardCursor(past(5), {});
    cursor.loseNumber('lost');
    cursor.opened(HORIZON, at);
    expect(cursor.take([record(1), record(2)], at)).to.deep.equal({ records: [] });
    // The iterator expires among skipped records, and meanwhile more than the place was trimmed.
    cursor.opened(HORIZON, at);
    expect(cursor.take([record(9)], at).gap).to.include({ from: record(5).token, to: record(9).token });
  });

  it('knows since when records are missing if nothing more can be read', () => {
    expect(new ShardCursor(past(5), { beganAt: 1 }).wantedSince).to.equal(at);
    expect(new ShardCursor({ at: 'tip', takenAt: 9 }, { beganAt: 1 }).wantedSince).to.equal(9);
    expect(new ShardCursor({ at: 'start' }, { beganAt: 1 }).wantedSince).to.equal(1);
    expect(new ShardCursor({ at: 'start' }, {}).wantedSince).to.equal(undefined);
  });

  it('an old place has no hole as long as its number can be read from', () => {
    const cursor = new ShardCursor(past(5), { beganAt: at });
    cursor.opened({ type: 'AFTER_SEQUENCE_NUMBER', token: record(5).token }, at + 2 * DAY);
    expect(cursor.take([record(9)], at + 2 * DAY)).to.have.keys(['records']);
  });

  it('of two tips the later one is the later place: a reading opened at it does not serve the other', () => {
    const [early, late]: Position[] = [
      { at: 'tip', takenAt: 1 },
      { at: 'tip', takenAt: 2 },
    ];
    if (early === undefined || late === undefined) throw new Error('two tips');
    expect(comparePositions(early, late)).to.be.below(0);
    expect(comparePositions(late, early)).to.be.above(0);
    expect(comparePositions({ at: 'start' }, early)).to.be.below(0);
    expect(comparePositions(late, past(1))).to.be.below(0);
  });
});
