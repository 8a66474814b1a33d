/** What every control store must do, the fake as the real one. */
import { expect } from 'chai';
import type { ControlStore, GapRow, SinkStart, StreamRow } from '../../src/ports/control-store.ts';

const ARN = 'arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-11-25T12:00:00.000';
const signal = new AbortController().signal;

export function describeControlStore(name: string, open: () => Promise<ControlStore>): void {
  describe(`control store: ${name}`, () => {
    let store: ControlStore;

    before(async () => {
      store = await open();
      await store.prepare(signal);
      await store.prepare(signal);
    });

    it('keeps the first start of a sink in a stream', async () => {
      const start: SinkStart = {
        pipeline: 'p1',
        sink: 'eu',
        streamArn: ARN,
        position: 'LATEST',
        takenAt: 17,
        frontier: ['shardId-b', 'shardId-a'],
      };
      expect(await store.createSinkStart(start, signal)).to.deep.equal({ start, created: true });
      expect(await store.createSinkStart({ ...start, takenAt: 99, frontier: [] }, signal)).to.deep.equal({ start, created: false });
      const other: SinkStart = { ...start, sink: 'us', position: 'TRIM_HORIZON', frontier: [], formerly: 'eu' };
      await store.createSinkStart(other, signal);
      expect(await store.sinkStarts('p1', signal)).to.have.deep.members([start, other]);
      expect(await store.sinkStarts('p2', signal)).to.deep.equal([]);
    });

    it('keeps what was asked of a sink, and that it was asked again', async () => {
      expect(await store.sinkRequests(signal)).to.deep.equal([]);
      await store.ask('p1', 'eu', true, signal);
      expect(await store.sinkRequests(signal)).to.deep.equal([{ pipeline: 'p1', sink: 'eu', paused: true, asked: 1 }]);
      await store.ask('p1', 'eu', false, signal);
      await store.ask('p1', 'eu', false, signal);
      expect(await store.sinkRequests(signal)).to.deep.equal([{ pipeline: 'p1', sink: 'eu', paused: false, asked: 3 }]);
    });

    it('keeps gaps; the same one again adds its sinks', async () => {
      const row: GapRow = {
        pipeline: 'p1',
        table: 'orders',
        streamArn: ARN,
        partition: 'shardId-a',
        sinks: ['eu'],
        gap: { reason: 'trimmed', from: '1', to: '5', at: 1000, note: 'trimmed before it was read' },
      };
      await store.addGap(row, signal);
      await store.addGap({ ...row, sinks: ['us'] }, signal);
      const { partition, ...whole } = row;
      expect(partition).to.equal('shardId-a');
      const replaced: GapRow = { ...whole, gap: { reason: 'stream-replaced', at: 1001, note: 'a new stream' } };
      await store.addGap(replaced, signal);
      expect(await store.gaps('p1', signal)).to.have.deep.members([{ ...row, sinks: ['eu', 'us'] }, replaced]);
      expect(await store.gaps('p2', signal)).to.deep.equal([]);
    });

    it('keeps the members: what they say, that they live, and that they were rung for', async () => {
      const said = { worker: 'w1', weight: 2, draining: false, serves: [ARN], unable: [] };
      // A server takes rows away whose time has passed.
      const expiresAt = Date.now() + 3_600_000;
      expect([await store.members(signal), await store.bell('w1', signal)]).to.deep.equal([[], undefined]);
      await store.beat(said, expiresAt, signal);
      expect(await store.members(signal)).to.deep.equal([{ ...said, beat: 1, bell: 0 }]);
      await store.ring('w1', signal);
      await store.ring('w1', signal);
      const changed = { ...said, draining: true, serves: [], unable: [`${ARN}:shardId-a`] };
      await store.beat(changed, expiresAt, signal);
      await store.ring('w2', signal);
      expect(await store.members(signal)).to.deep.equal([{ ...changed, beat: 2, bell: 2 }]);
      expect(await store.bell('w1', signal)).to.equal(2);
      await store.leave('w1', signal);
      await store.ring('w1', signal);
      expect(await store.members(signal)).to.deep.equal([]);
    });

    it('keeps the streams of a pipeline, oldest first', async () => {
      const first: StreamRow = { pipeline: 'p1', table: 'orders', arn: `${ARN}z`, firstSeenAt: 1 };
      const second: StreamRow = { ...first, arn: ARN, firstSeenAt: 2 };
      await store.putStream(second, signal);
      await store.putStream(first, signal);
      expect(await store.streams('p1', signal)).to.deep.equal([first, second]);
      await store.putStream({ ...first, drainedAt: 3 }, signal);
      expect(await store.streams('p1', signal)).to.deep.equal([{ ...first, drainedAt: 3 }, second]);
    });
  });
}
