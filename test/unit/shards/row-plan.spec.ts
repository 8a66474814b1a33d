import { expect } from 'chai';
import type { Position } from '../../../src/model/position.ts';
import type { SinkStart } from '../../../src/ports/control-store.ts';
import { type LeaseRow, leaseKey, partsOfLeaseKey } from '../../../src/ports/lease-store.ts';
import type { ShardListing } from '../../../src/ports/stream-api.ts';
import { isLostTo } from '../../../src/shards/gap-scope.ts';
import { collectable, ENDED_ROWS_MS, leavesOf, missingRows, rootsOf } from '../../../src/shards/row-plan.ts';
import { positionKey, SinkPositions } from '../../../src/shards/sink-positions.ts';
import { ARN } from '../../fakes/lease-world.ts';

const BEHIND: Position = { at: 'after', token: '5', changedAt: 1 };
const END: Position = { at: 'end' };

const listed = (shardId: string, parentShardId?: string): ShardListing =>
  parentShardId === undefined ? { shardId } : { shardId, parentShardId };

function row(shardId: string, more: Partial<LeaseRow> & { s?: Position; t?: Position } = {}): LeaseRow {
  const { s, t, ...rest } = more;
  const positions = new Map<string, Position>();
  if (s) positions.set(positionKey('p', 's'), s);
  if (t) positions.set(positionKey('p', 't'), t);
  const key = leaseKey(ARN, shardId);
  return { key, parents: [], counter: 1, ownerSwitches: 0, children: [], positions, checkpoint: 'TRIM_HORIZON', ...rest };
}

function placed(rows: readonly LeaseRow[], names = ['s', 't']): SinkPositions {
  const sinks = names.map(name => ({
    name,
    key: positionKey('p', name),
    start: { pipeline: 'p', sink: name, streamArn: ARN, position: 'TRIM_HORIZON' as const, takenAt: 0, frontier: [] },
  }));
  return new SinkPositions(rows, sinks, { gone: () => false });
}

const ids = (rows: readonly { key: string }[]) => rows.map(({ key }) => partsOfLeaseKey(key).shardId);

describe('row plan', () => {
  it('child-on-earlier-page: rows are made ancestors first, in whatever order they are listed', () => {
    const shards = [listed('c', 'b'), listed('x'), listed('b', 'a'), listed('a', 'trimmed')];
    const rows = missingRows(ARN, shards, placed([]));
    expect(ids(rows)).to.deep.equal(['a', 'b', 'c', 'x']);
    expect(rows.map(({ parents }) => parents)).to.deep.equal([['trimmed'], ['a'], ['b'], []]);
  });

  it('rows that stand are not made again; nor those that every enabled sink has passed', () => {
    const shards = [listed('a'), listed('b', 'a'), listed('c', 'b')];
    expect(ids(missingRows(ARN, shards, placed([row('b')])))).to.deep.equal(['a', 'c']);
    const past = row('c', { parents: ['b'], s: BEHIND, t: END });
    expect(ids(missingRows(ARN, shards, placed([past])))).to.deep.equal([]);
    const half = row('c', { parents: ['b'], s: BEHIND });
    expect(ids(missingRows(ARN, shards, placed([half])))).to.deep.equal(['a', 'b']);
  });

  it('knows roots and leaves of a listing', () => {
    const shards = [listed('c', 'b'), listed('x'), listed('b', 'a'), listed('a', 'trimmed')];
    expect([rootsOf(shards), leavesOf(shards)]).to.deep.equal([
      ['x', 'a'],
      ['c', 'x'],
    ]);
  });

  describe('collects an ended row', () => {
    const now = 100 * 3_600_000;
    const ended = (more: Partial<LeaseRow> = {}) =>
      row('a', { checkpoint: 'SHARD_END', endedAt: now - ENDED_ROWS_MS, children: ['b'], s: END, t: END, ...more });
    const collected = (rows: readonly LeaseRow[], shards: readonly string[] = []) => ids(collectable(placed(rows), new Set(shards), now));

    it('when it is not listed, ended long ago, and its children are past their start', () => {
      expect(collected([ended(), row('b', { s: BEHIND, t: END })])).to.deep.equal(['a']);
    });
    it('or were collected before it', () => {
      expect(collected([ended()])).to.deep.equal(['a']);
    });
    it('gc-keeps-parent-until-child-progress', () => {
      expect(collected([ended(), row('b', { s: BEHIND })])).to.deep.equal([]);
    });
    it('not while it is listed, young, owned, or not ended', () => {
      const child = row('b', { s: BEHIND, t: END });
      expect(collected([ended(), child], ['a'])).to.deep.equal([]);
      expect(collected([ended({ endedAt: now - ENDED_ROWS_MS + 1 }), child])).to.deep.equal([]);
      expect(collected([ended({ owner: 'w' }), child])).to.deep.equal([]);
      expect(collected([ended({ checkpoint: '5' }), child])).to.deep.equal([]);
    });
  });
});

describe('whether a loss is a sink’s', () => {
  const hour = 3_600_000;
  const at = 1_767_225_600_000;
  const shard = (began: number) => `shardId-${String(began).padStart(20, '0')}-0a0b0c0d`;
  const lost = (position: Position, began: number, when: { startedAt: number; foundAt: number; frontier?: readonly string[] }) => {
    const { startedAt: takenAt, frontier = [shard(began)] } = when;
    const start: SinkStart = { pipeline: 'p', sink: 's', streamArn: ARN, position: 'TRIM_HORIZON', takenAt, frontier };
    return isLostTo({ start, position }, shard(began), { reason: 'trimmed', at: when.foundAt, note: '' });
  };

  it('always, once it has read something of the shard', () => {
    expect(lost(BEHIND, at - 40 * hour, { startedAt: at, foundAt: at })).to.equal(true);
  });
  it('not when the shard was partly trimmed before the sink began', () => {
    expect(lost({ at: 'start' }, at - 26 * hour, { startedAt: at, foundAt: at + 1_000 })).to.equal(false);
  });
  it('when the shard was whole then, or the sink came to it late', () => {
    expect(lost({ at: 'start' }, at - 20 * hour, { startedAt: at, foundAt: at + 10 * hour })).to.equal(true);
    expect(lost({ at: 'start' }, at - 26 * hour, { startedAt: at, foundAt: at + 2 * hour })).to.equal(true);
  });
  it('of a tip, when it was opened again so late that what came after it is gone', () => {
    expect(lost({ at: 'tip', takenAt: at }, at - 3 * hour, { startedAt: at, foundAt: at + 2 * hour })).to.equal(false);
    expect(lost({ at: 'tip', takenAt: at }, at - 3 * hour, { startedAt: at, foundAt: at + 25 * hour })).to.equal(true);
  });
});
