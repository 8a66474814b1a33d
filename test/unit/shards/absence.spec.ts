import { expect } from 'chai';
import { Follower, HOUR, ShardWorld } from '../../fakes/shard-world.ts';

describe('a shard that is refused as unknown', () => {
  it('rnf-shard-gone: a minute is enough for all passes over a shard, unless nobody asked for as long', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.stream.roll(shardId);
    await world.clock.advance(25 * HOUR);
    const reader = world.reader(shardId);
    const took = async () => {
      const from = world.clock.elapsed();
      const follower = new Follower(reader, { at: 'start' });
      await world.clock.runUntil(follower.done, { maxMs: 90_000 });
      return world.clock.elapsed() - from;
    };
    expect(await took()).to.be.within(60_000, 71_000);
    expect(await took()).to.be.below(1_000);
    await world.clock.advance(2 * 60_000);
    expect(await took()).to.be.within(60_000, 71_000);
  });
});
