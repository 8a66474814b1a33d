import { expect } from 'chai';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import { firstTips } from '../../../src/runners/first-tips.ts';
import { FakeStreams } from '../../fakes/fake-streams.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';

async function tipsOf(world: { clock: ReturnType<typeof virtualClock>; streams: FakeStreams }, roots = 40) {
  const { clock, streams } = world;
  const stream = streams.create({ roots });
  await clock.advance(600_000);
  const { signal } = new AbortController();
  const described = streams.describe(stream.arn, signal);
  await clock.runUntil(described);
  const description = await described;
  const shardIds = description.shards.map(({ shardId }) => shardId);
  const asked = firstTips({ description, shardIds, streams, clock }, signal);
  await clock.runUntil(asked);
  return { tips: await asked, shardIds, stream };
}

describe('the first tips of a stream', () => {
  it('have a time after all iterators, and give each once, for that time only', async () => {
    const clock = virtualClock();
    const streams = new FakeStreams(clock, { latencyMs: 300 });
    const { tips, shardIds } = await tipsOf({ clock, streams });
    expect(tips.takenAt).to.be.within(streams.now(), streams.now() + 1_000);
    const [first = ''] = shardIds;
    expect(tips.take(first, tips.takenAt - 1)).to.equal(undefined);
    expect(shardIds.map(shard => typeof tips.take(shard, tips.takenAt))).to.deep.equal(shardIds.map(() => 'string'));
    expect(shardIds.map(shard => tips.take(shard, tips.takenAt))).to.deep.equal(shardIds.map(() => undefined));
  });

  it('are left out where a shard gives none, and nobody waits long for them', async () => {
    const clock = virtualClock();
    const streams = new FakeStreams(clock);
    let n = 0;
    const fault = new ServiceFault('InternalServerError', 'no', { class: 'server' });
    streams.fate = ({ operation }) => (operation !== 'iterator' ? 'pass' : n++ % 2 === 0 ? fault : 'throttled');
    const refused = await tipsOf({ clock, streams });
    expect(refused.shardIds.filter(shard => refused.tips.take(shard, refused.tips.takenAt))).to.deep.equal([]);
    streams.fate = ({ operation }) => (operation === 'iterator' ? { delayMs: 3_600_000 } : 'pass');
    const from = clock.elapsed() + 600_000;
    const hung = await tipsOf({ clock, streams });
    expect(clock.elapsed() - from).to.be.within(10_000, 11_000);
    expect(hung.shardIds.filter(shard => hung.tips.take(shard, hung.tips.takenAt))).to.deep.equal([]);
  });
});
