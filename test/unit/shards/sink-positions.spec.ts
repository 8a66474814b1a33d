import { expect } from 'chai';
import type { Position } from '../../../src/model/position.ts';
import type { SinkStart } from '../../../src/ports/control-store.ts';
import { type LeaseRow, leaseKey } from '../../../src/ports/lease-store.ts';
import { checkpointText, type PlacedSink, positionKey, SinkPositions } from '../../../src/shards/sink-positions.ts';
import { ARN } from '../../fakes/lease-world.ts';

const AT_5: Position = { at: 'after', token: '5', changedAt: 1 };
const END: Position = { at: 'end' };

function row(shardId: string, parents: readonly string[] = [], positions: Readonly<Record<string, Position>> = {}): LeaseRow {
  const entries = Object.entries(positions).map(([sink, position]) => [positionKey('p', sink), position] as const);
  const key = leaseKey(ARN, shardId);
  return { key, parents, counter: 1, ownerSwitches: 0, children: [], positions: new Map(entries), checkpoint: 'TRIM_HORIZON' };
}

function sink(name: string, start: Partial<SinkStart> = {}, former?: string): PlacedSink {
  const begins: SinkStart = { pipeline: 'p', sink: name, streamArn: ARN, position: 'TRIM_HORIZON', takenAt: 7, frontier: [], ...start };
  return { name, key: positionKey('p', name), formerKey: former && positionKey('p', former), start: begins };
}

const never = { gone: () => false };

describe('sink positions', () => {
  it('are what the row says, by the name it had before where there is none yet', () => {
    const a = row('a', [], { new: AT_5, old: END });
    const b = row('b', [], { old: END });
    const renamed = sink('new', {}, 'old');
    const positions = new SinkPositions([a, b], [renamed], never);
    expect(positions.position(a, renamed)).to.equal(AT_5);
    expect(positions.position(b, renamed)).to.equal(END);
  });

  it('begin at the tip of what was listed under LATEST, at the end of its ancestors, and at the start of everything else', () => {
    const rows = [row('grandparent'), row('parent', ['grandparent']), row('open', ['parent']), row('later', ['open']), row('unlisted')];
    const late = sink('s', { position: 'LATEST', takenAt: 7, frontier: ['open'] });
    const positions = new SinkPositions(rows, [late], never);
    const at = Object.fromEntries(rows.map(one => [one.key.slice(ARN.length + 1), positions.position(one, late)]));
    expect(at).to.deep.equal({
      grandparent: END,
      parent: END,
      open: { at: 'tip', takenAt: 7 },
      later: { at: 'start' },
      unlisted: { at: 'start' },
    });
  });

  it('know ancestors by the listing where a crash came between the rows (seed 5660 of several workers)', () => {
    const rows = [row('grandparent'), row('open', ['parent'])];
    const late = sink('s', { position: 'LATEST', takenAt: 7, frontier: ['open'] });
    const listedParents = (shard: string) => (shard === 'parent' ? ['grandparent'] : []);
    const positions = new SinkPositions(rows, [late], { ...never, listedParents });
    expect(rows.map(one => positions.position(one, late).at)).to.deep.equal(['end', 'tip']);
  });

  it('begin at the start of what was listed under TRIM_HORIZON; what was trimmed before counts as ended', () => {
    const rows = [row('trimmed'), row('oldest', ['trimmed']), row('child', ['oldest'])];
    const late = sink('s', { frontier: ['oldest'] });
    const positions = new SinkPositions(rows, [late], never);
    expect(rows.map(one => positions.position(one, late).at)).to.deep.equal(['end', 'start', 'start']);
  });

  describe('gates', () => {
    const s = sink('s');
    const t = sink('t');

    it('rollover-one-child: each sink waits for its own end of the parent, whatever the others do', () => {
      const rows = [row('parent', [], { s: END, t: AT_5 }), row('child', ['parent'])];
      const positions = new SinkPositions(rows, [s, t], never);
      const child = positions.rows.get('child');
      if (child === undefined) throw new Error('no child');
      expect([positions.mayStart(child, s), positions.mayStart(child, t)]).to.deep.equal([true, false]);
      expect(positions.isRunnable(child)).to.equal(true);
    });

    it('hold a child back until all its parents have ended', () => {
      const rows = [row('p1', [], { s: END }), row('p2'), row('child', ['p1', 'p2'])];
      expect([...new SinkPositions(rows, [s], never).runnable()]).to.deep.equal([leaseKey(ARN, 'p2')]);
    });

    it('parent-trimmed: a parent without a row holds nothing back once a full listing did not have it', () => {
      const rows = [row('child', ['gone'])];
      expect([...new SinkPositions(rows, [s], never).runnable()]).to.deep.equal([]);
      expect([...new SinkPositions(rows, [s], { gone: shard => shard === 'gone' }).runnable()]).to.have.length(1);
    });

    it('hold a sink back from a new stream until it has ended the old one', () => {
      const rows = [row('root', [], { t: AT_5 })];
      const positions = new SinkPositions(rows, [s, t], { gone: () => false, mayBegin: () => false });
      const root = rows[0] as LeaseRow;
      expect([positions.mayStart(root, s), positions.mayStart(root, t)]).to.deep.equal([false, true]);
    });

    it('gc-tolerates-foreign-delete: a sink past the start of the child is not gated', () => {
      const rows = [row('child', ['gone'], { s: AT_5 })];
      const positions = new SinkPositions(rows, [s, t], never);
      const child = rows[0] as LeaseRow;
      expect([positions.mayStart(child, s), positions.mayStart(child, t)]).to.deep.equal([true, false]);
    });
  });

  it('say when a shard has ended and is not worth a lease: for the enabled sinks only', () => {
    const done = row('done', [], { s: END, removed: AT_5 });
    const half = row('half', [], { s: END, t: AT_5 });
    const only = new SinkPositions([done, half], [sink('s')], never);
    expect([only.hasEnded(done), only.hasEnded(half), only.isRunnable(half)]).to.deep.equal([true, true, false]);
    const both = new SinkPositions([done, half], [sink('s'), sink('t')], never);
    expect([both.hasEnded(done), both.hasEnded(half), both.isRunnable(half)]).to.deep.equal([false, false, true]);
  });

  it("two-sinks-one-slow: KCL's checkpoint is the lowest enabled sink's", () => {
    const one = row('a', [], { s: { at: 'after', token: '10', changedAt: 1 }, t: AT_5, removed: { at: 'start' } });
    expect(new SinkPositions([one], [sink('s'), sink('t')], never).checkpoint(one)).to.equal('5');
    expect(new SinkPositions([one], [sink('s')], never).checkpoint(one)).to.equal('10');
    expect(new SinkPositions([one], [sink('s'), sink('late')], never).checkpoint(one)).to.equal('TRIM_HORIZON');
  });

  it("are written in KCL's words", () => {
    const texts = ([{ at: 'start' }, { at: 'tip', takenAt: 1 }, { ...AT_5, at: 'from' }, AT_5, END] as Position[]).map(checkpointText);
    expect(texts).to.deep.equal(['TRIM_HORIZON', 'LATEST', 'TRIM_HORIZON', '5', 'SHARD_END']);
  });
});
