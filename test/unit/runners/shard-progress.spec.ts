import { expect } from 'chai';
import type { Position } from '../../../src/model/position.ts';
import type { LeaseRow } from '../../../src/ports/lease-store.ts';
import { savedPositions } from '../../../src/runners/shard-progress.ts';
import { positionKey, SinkPositions } from '../../../src/shards/sink-positions.ts';
import { ARN, LeaseWorld } from '../../fakes/lease-world.ts';

const behind = (token: string): Position => ({ at: 'after', token, changedAt: 0 });
const END: Position = { at: 'end' };

describe('shard progress', () => {
  const { clock } = new LeaseWorld();

  function change(
    row: Partial<LeaseRow> & { readonly now?: Readonly<Record<string, Position>> },
    moved: Readonly<Record<string, Position>>,
  ) {
    const { now = {}, ...more } = row;
    const standing: LeaseRow = {
      key: `${ARN}:shard-1`,
      counter: 1,
      ownerSwitches: 0,
      parents: [],
      children: [],
      checkpoint: 'TRIM_HORIZON',
      positions: new Map(Object.entries(now).map(([name, position]) => [positionKey('p', name), position])),
      ...more,
    };
    const sinks = ['s', 't'].map(name => ({
      name,
      key: positionKey('p', name),
      start: { pipeline: 'p', sink: name, streamArn: ARN, position: 'TRIM_HORIZON' as const, takenAt: 0, frontier: [] },
    }));
    const positions = () => new SinkPositions([standing], sinks, { gone: () => false });
    const saved = savedPositions(standing, new Map(Object.entries(moved)), { pipeline: 'p', clock, positions, children: () => ['child'] });
    return { ...saved, positions: Object.fromEntries(saved.positions ?? []) };
  }

  it('writes all sinks at once, keeps the others, and tells KCL the lowest enabled one', () => {
    expect(change({ now: { s: behind('1'), removed: behind('7') } }, { s: behind('12'), t: behind('5') })).to.deep.equal({
      positions: { 'p/s': behind('12'), 'p/t': behind('5'), 'p/removed': behind('7') },
      checkpoint: '5',
    });
  });

  it('position-never-lowered: what comes late is refused, above all after the end', () => {
    const saved = change({ now: { s: END, t: behind('100') } }, { s: behind('12'), t: behind('99') });
    expect(saved.positions).to.deep.equal({ 'p/s': END, 'p/t': behind('100') });
  });

  it('the last end makes the row SHARD_END, with its children and its time', () => {
    expect(change({ now: { s: END } }, { t: END })).to.deep.include({ checkpoint: 'SHARD_END', children: ['child'], endedAt: clock.now() });
    expect(change({ now: { s: END }, endedAt: 7 }, { t: END })).to.deep.include({ endedAt: 7 });
  });

  it('a row that had ended and has not for a sink that came late says so', () => {
    const saved = change({ now: { s: END }, endedAt: 7, checkpoint: 'SHARD_END' }, { t: behind('5') });
    expect(saved).to.deep.include({ checkpoint: '5', endedAt: null });
  });
});
