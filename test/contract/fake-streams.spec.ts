/** What the fake streams promise: as the suite of the real adapter, and what no local server shows (splits, trims, throttles, listings that lag). */
import { expect } from 'chai';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { IteratorPlace, ReadAnswer } from '../../src/ports/stream-api.ts';
import { FakeStreams } from '../fakes/fake-streams.ts';
import { NEVER } from '../fakes/lease-world.ts';
import { HOUR } from '../fakes/shard-world.ts';
import { virtualClock } from '../fakes/virtual-clock.ts';

const HORIZON: IteratorPlace = { type: 'TRIM_HORIZON' };

function open(rules: ConstructorParameters<typeof FakeStreams>[1] = {}) {
  const clock = virtualClock();
  const streams = new FakeStreams(clock, { ...rules, latencyMs: 0 });
  const stream = streams.create();
  const [shard] = stream.open;
  if (shard === undefined) throw new Error('a stream begins with a shard');
  const source = stream.source(shard.id);
  const iterator = async (place: IteratorPlace, of = source): Promise<string> => {
    const answer = await streams.iterator(of, place, NEVER);
    if (answer.is !== 'iterator') throw new Error(`no iterator: ${answer.is}`);
    return answer.iterator;
  };
  const page = async (text: string, of = source): Promise<ReadAnswer & { is: 'page' }> => {
    const answer = await streams.read(text, of, NEVER);
    if (answer.is !== 'page') throw new Error(`no page: ${answer.is}`);
    return answer;
  };
  const readFrom = async (place: IteratorPlace): Promise<readonly ChangeRecord[]> => (await page(await iterator(place))).records;
  return { clock, streams, stream, shard, source, iterator, page, readFrom };
}

const faultOf = async (call: Promise<unknown>): Promise<ServiceFault> => {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ServiceFault)) throw new Error(`not refused: ${String(error)}`);
  return error;
};

describe('StreamApi: fake', () => {
  it('describes a stream', async () => {
    const { streams, stream, clock, shard } = open();
    expect(await streams.describe(stream.arn, NEVER)).to.deep.equal({
      arn: stream.arn,
      table: 'orders',
      region: 'us-east-1',
      status: 'ENABLED',
      viewType: 'NEW_AND_OLD_IMAGES',
      keyNames: ['pk'],
      createdAt: clock.now(),
      servedAt: clock.now(),
      shards: [{ shardId: shard.id, startingToken: shard.startingToken }],
    });
    expect(await streams.children(stream.arn, shard.id, NEVER)).to.deep.equal([]);
  });

  it('goes on at and after a record, and at the newest', async () => {
    const { stream, shard, source, readFrom, iterator, page } = open({ readers: 9 });
    const [first, second] = [stream.append(shard.id), stream.append(shard.id)];
    const all = await readFrom(HORIZON);
    expect(all.map(({ token }) => token)).to.deep.equal([first.token, second.token]);
    expect(all[0]?.source).to.equal(source);
    expect((await readFrom({ type: 'AT_SEQUENCE_NUMBER', token: second.token }))[0]?.token).to.equal(second.token);
    expect((await readFrom({ type: 'AFTER_SEQUENCE_NUMBER', token: first.token }))[0]?.token).to.equal(second.token);
    const tip = await page(await iterator({ type: 'LATEST' }));
    expect(tip.records).to.deep.equal([]);
    const third = stream.append(shard.id);
    expect((await page(tip.next ?? '')).records.map(({ token }) => token)).to.deep.equal([third.token]);
  });

  it('cuts pages at 1,000 records and 1 MB, and says their bytes', async () => {
    const { stream, shard, iterator, page } = open();
    for (let i = 0; i < 1_001; i++) stream.append(shard.id);
    const first = await page(await iterator(HORIZON));
    expect(first.records.length).to.equal(1_000);
    expect(first.bytes).to.equal(first.records.reduce((sum, { bytes }) => sum + bytes, 0));
    for (let i = 0; i < 3; i++) stream.append(shard.id, { sizeBytes: 400_000 });
    expect((await page(first.next ?? '')).records.length).to.equal(3);
  });

  it('tells a shard, a stream and a number that are gone', async () => {
    const { streams, source, stream } = open();
    expect(await streams.iterator({ ...source, partition: 'shardId-1' }, HORIZON, NEVER)).to.deep.equal({ is: 'gone' });
    const unknown = { type: 'AFTER_SEQUENCE_NUMBER', token: '999999999999999999999' } as const;
    expect(await streams.iterator(source, unknown, NEVER)).to.deep.equal({ is: 'trimmed' });
    stream.removed = true;
    expect((await faultOf(streams.describe(stream.arn, NEVER))).class).to.equal('missing');
    expect(await streams.iterator(source, HORIZON, NEVER)).to.deep.equal({ is: 'gone' });
  });

  it('trims by age: records, then the shard', async () => {
    const { clock, streams, stream, shard, source, readFrom, iterator } = open();
    const first = stream.append(shard.id);
    const stale = await iterator(HORIZON);
    await clock.advance(5 * 60_000);
    const second = stream.append(shard.id);
    await clock.advance(24 * HOUR - 1_000);
    expect(await streams.read(stale, source, NEVER)).to.deep.equal({ is: 'expired' });
    expect((await readFrom(HORIZON)).map(({ token }) => token)).to.deep.equal([second.token]);
    expect(await streams.iterator(source, { type: 'AFTER_SEQUENCE_NUMBER', token: first.token }, NEVER)).to.deep.equal({ is: 'trimmed' });
    const horizon = await iterator(HORIZON);
    await clock.advance(60_000 * 5);
    expect(await streams.read(horizon, source, NEVER)).to.deep.equal({ is: 'trimmed' });
    stream.roll(shard.id);
    await clock.advance(25 * HOUR);
    expect((await streams.describe(stream.arn, NEVER)).shards.map(({ shardId }) => shardId)).not.to.include(shard.id);
    expect(await streams.iterator(source, HORIZON, NEVER)).to.deep.equal({ is: 'gone' });
  });

  it('ends a closed shard without a next iterator, with or after its last records', async () => {
    for (const endsEmpty of [false, true]) {
      const { stream, shard, iterator, page } = open({ endsEmpty });
      stream.append(shard.id);
      stream.roll(shard.id);
      const first = await page(await iterator(HORIZON));
      expect([first.records.length, first.next === undefined]).to.deep.equal([1, !endsEmpty]);
      if (first.next !== undefined) expect((await page(first.next)).next).to.equal(undefined);
    }
  });

  it('splits: every key goes on in one of the children, and numbers go up from parent to child', async () => {
    const { stream, shard } = open();
    const keys = Array.from({ length: 50 }, (_, i) => `key-${i}`);
    const before = keys.map(pk => stream.write({ pk }).token);
    const children = stream.split(shard.id);
    for (const pk of keys) expect(stream.write({ pk }).token > (before.at(-1) ?? '')).to.equal(true);
    expect(children.map(child => child.stored.length > 10)).to.deep.equal([true, true]);
    expect(children.map(({ parent }) => parent)).to.deep.equal([shard.id, shard.id]);
    expect(() => stream.append(shard.id)).to.throw('closed');
  });

  it('lists late what the graph became, and children by their own delay', async () => {
    const { clock, streams, stream, shard } = open({ listingDelayMs: 5_000, childrenDelayMs: 2_000 });
    await clock.advance(10_000);
    const child = stream.roll(shard.id);
    const seen = async () => {
      const { shards } = await streams.describe(stream.arn, NEVER);
      const children = await streams.children(stream.arn, shard.id, NEVER);
      return [shards.length, shards.some(one => one.endingToken !== undefined), children.length];
    };
    expect(await seen()).to.deep.equal([1, false, 0]);
    await clock.advance(3_000);
    expect(await seen()).to.deep.equal([1, false, 1]);
    await clock.advance(3_000);
    expect(await seen()).to.deep.equal([2, true, 1]);
    expect((await streams.describe(stream.arn, NEVER)).shards[0]).to.include({ shardId: child.id, parentShardId: shard.id });
  });

  it('disabled, it has no open shard; while it is being enabled it lists none', async () => {
    const { streams, stream } = open();
    stream.disable();
    const { status, shards } = await streams.describe(stream.arn, NEVER);
    expect([status, shards.every(({ endingToken }) => endingToken !== undefined)]).to.deep.equal(['DISABLED', true]);
    stream.status = 'ENABLING';
    expect((await streams.describe(stream.arn, NEVER)).shards).to.deep.equal([]);
  });

  it('throttles a third reader, and more listings than ten a second', async () => {
    const { clock, streams, stream, source, iterator } = open();
    const readers = [await iterator(HORIZON), await iterator(HORIZON), await iterator(HORIZON)];
    const outcomes = [];
    for (const reader of readers) outcomes.push((await streams.read(reader, source, NEVER)).is);
    expect(outcomes).to.deep.equal(['page', 'page', 'throttled']);
    expect([streams.reads, streams.calls.read, streams.throttled]).to.deep.equal([2, 3, 1]);
    await clock.advance(500);
    expect((await streams.read(readers[2] ?? '', source, NEVER)).is).to.equal('page');
    for (let i = 0; i < 10; i++) await streams.describe(stream.arn, NEVER);
    expect((await faultOf(streams.describe(stream.arn, NEVER))).class).to.equal('throttled');
    await clock.advance(1_100);
    await streams.describe(stream.arn, NEVER);
  });

  it('bills a read whose answer was lost, and refuses a call that was aborted', async () => {
    const { streams, source, iterator } = open();
    const text = await iterator(HORIZON);
    streams.fate = () => 'lost';
    expect((await faultOf(streams.read(text, source, NEVER))).class).to.equal('network');
    expect(streams.reads).to.equal(1);
    streams.fate = () => 'pass';
    expect((await faultOf(streams.read(text, source, AbortSignal.abort()))).class).to.equal('aborted');
  });

  it('has a clock of its own: a worker’s wall clock that jumps moves nothing here', async () => {
    const { clock, streams } = open();
    const before = streams.now();
    clock.jumpWall(HOUR);
    expect(streams.now()).to.equal(before);
  });
});
