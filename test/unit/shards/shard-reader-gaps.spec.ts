import { expect } from 'chai';
import { compareTokens } from '../../../src/model/position.ts';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import { HOUR, ShardWorld, written } from '../../fakes/shard-world.ts';

const MINUTE = 60_000;

/** A shard with a record each hour for `hours`, and a follower's position after the first. */
async function hourly(world: ShardWorld, hours: number): Promise<void> {
  for (let i = 0; i < hours; i++) {
    world.append(1);
    await world.clock.advance(HOUR);
  }
}

describe('gaps of a shard', () => {
  for (const trimRefusedAt of ['iterator', 'read'] as const) {
    it(`trimmed-on-resume: a place 25 hours old goes on at the oldest record, with one gap (refused at the ${trimRefusedAt})`, async () => {
      const world = new ShardWorld({ trimRefusedAt });
      const { shardId } = world;
      world.append(3);
      const [first = ''] = written(world.stream, shardId);
      const changedAt = world.clock.now();
      await world.clock.advance(10 * HOUR);
      world.append(2);
      await world.clock.advance(15 * HOUR);
      const follower = world.follow(shardId, { at: 'after', token: first, changedAt });
      await world.clock.runUntil(() => follower.records.length === 2);
      const held = written(world.stream, shardId).slice(3);
      expect(follower.tokens).to.deep.equal(held);
      expect(follower.gaps).to.deep.equal([
        { reason: 'trimmed', from: first, to: held[0], at: follower.gaps[0]?.at, note: 'records had been trimmed before they were read' },
      ]);
      expect(follower.pages.find(page => page.gap)?.records[0]?.token).to.equal(held[0]);
      follower.stop.abort();
    });
  }

  it('trimmed-while-reading: a trim that overtakes a slow sink leaves a gap with both numbers, and reading goes on', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    await hourly(world, 1);
    const follower = world.follow(shardId);
    await world.clock.runUntil(() => follower.records.length === 1);
    follower.paused = true;
    await hourly(world, 30);
    follower.resume();
    await world.clock.runUntil(() => follower.records.length >= 20);
    const all = written(world.stream, shardId);
    expect(follower.gaps.map(({ from, to }) => [from, to])).to.deep.equal([[all[0], follower.tokens[1]]]);
    world.append(1);
    await world.clock.advance(MINUTE);
    expect(follower.tokens.slice(1)).to.deep.equal(written(world.stream, shardId).slice(-(follower.tokens.length - 1)));
    expect(follower.gaps.length).to.equal(1);
    follower.stop.abort();
  });

  it('a gap of which no later record tells comes with the end', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.append(2);
    const [first = ''] = written(world.stream, shardId);
    const changedAt = world.clock.now();
    await world.clock.advance(4 * HOUR);
    world.stream.roll(shardId);
    await world.clock.advance(21 * HOUR);
    const follower = world.follow(shardId, { at: 'after', token: first, changedAt });
    await world.clock.runUntil(follower.done);
    expect(follower.ended).to.equal(true);
    expect(follower.records).to.deep.equal([]);
    expect(follower.gaps.map(({ reason, from, to }) => ({ reason, from, to }))).to.deep.equal([
      { reason: 'trimmed', from: first, to: undefined },
    ]);
  });

  it('rnf-shard-gone: refused as unknown and not listed, the rest of the shard is a gap, and it ends', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.append(5);
    const [first = ''] = written(world.stream, shardId);
    const changedAt = world.clock.now();
    world.stream.roll(shardId);
    await world.clock.advance(25 * HOUR);
    const follower = world.follow(shardId, { at: 'after', token: first, changedAt });
    await world.clock.runUntil(follower.done, { maxMs: 90_000 });
    expect(follower.pages.map(({ records, end, gap }) => [records.length, end, gap?.reason, gap?.from])).to.deep.equal([
      [0, true, 'shard-gone', first],
    ]);
  });

  it('rnf-transient: refused as unknown though listed and open, it is tried again and ends nothing', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.append(3);
    const [first = ''] = written(world.stream, shardId);
    world.streams.fate = ({ operation }) => (operation !== 'describe' && world.clock.elapsed() < 5 * MINUTE ? 'gone' : 'pass');
    const follower = world.follow(shardId, { at: 'after', token: first, changedAt: world.clock.now() });
    await world.clock.advance(5 * MINUTE);
    expect(follower.pages).to.deep.equal([]);
    expect(world.streams.calls.describe).to.be.within(3, 5);
    await world.clock.runUntil(() => follower.records.length === 2, { maxMs: 11_000 });
    expect(follower.gaps).to.deep.equal([]);
    follower.stop.abort();
  });

  it('rnf-transient: nothing ends before a minute, even when the shard is missing from the listing', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.append(1);
    world.streams.fate = ({ operation }) => (operation === 'iterator' && world.clock.elapsed() < 55_000 ? 'gone' : 'pass');
    const follower = world.follow(shardId, { at: 'start' }, { standing: async () => ({ is: 'gone', servedAt: world.streams.now() }) });
    await world.clock.runUntil(() => follower.records.length === 1, { maxMs: 70_000 });
    expect(follower.ended).to.equal(false);
    follower.stop.abort();
  });

  it('rnf-transient: a minute is counted from the last page on', async () => {
    const world = new ShardWorld();
    let sick = true;
    world.streams.fate = () => {
      const fate = sick ? 'gone' : 'pass';
      sick = false;
      return fate;
    };
    const follower = world.follow(
      world.shardId,
      { at: 'start' },
      { standing: async () => ({ is: 'gone', servedAt: world.streams.now() }) },
    );
    for (let i = 1; i <= 5; i++) {
      world.append(1);
      await world.clock.advance(30_000);
      sick = true;
    }
    expect([follower.ended, follower.records.length]).to.deep.equal([false, 5]);
    follower.stop.abort();
  });

  it('a trimmed shard that stays listed, as DynamoDB Local 1.25.1 does it, is a gap and the end', async () => {
    const world = new ShardWorld({ staysListed: true });
    const { shardId } = world;
    world.append(5);
    const [first = ''] = written(world.stream, shardId);
    const changedAt = world.clock.now();
    world.stream.roll(shardId);
    await world.clock.advance(25 * HOUR);
    const follower = world.follow(shardId, { at: 'after', token: first, changedAt });
    await world.clock.runUntil(follower.done, { maxMs: 90_000 });
    expect(follower.gaps.map(({ reason }) => reason)).to.deep.equal(['shard-gone']);
    expect(follower.ended).to.equal(true);
  });

  it('a shard listed as open whose place is over 24 hours old is given up with a gap', async () => {
    const world = new ShardWorld();
    world.streams.fate = ({ operation }) => (operation === 'describe' ? 'pass' : 'gone');
    const changedAt = world.clock.now() - 25 * HOUR;
    const follower = world.follow(world.shardId, { at: 'after', token: '5', changedAt });
    await world.clock.runUntil(follower.done, { maxMs: 90_000 });
    expect(follower.gaps.map(({ reason, from }) => [reason, from])).to.deep.equal([['shard-gone', '5']]);
    expect(follower.ended).to.equal(true);
  });

  it('a stream that is gone is no end: it is thrown, with the place', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.append(1);
    const follower = world.follow(shardId);
    await world.clock.runUntil(() => follower.records.length === 1);
    world.stream.removed = true;
    await world.clock.runUntil(follower.done, { maxMs: 90_000 });
    expect(follower.ended).to.equal(false);
    expect(follower.error).to.be.instanceOf(ServiceFault).with.property('class', 'missing');
    expect(String(follower.error)).to.contain(world.stream.arn).and.contain(shardId);
  });

  it('whatever is trimmed when, and however often it is opened again: each record comes once, or lies in a gap', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const world = new ShardWorld({ trimRefusedAt: seed % 2 ? 'iterator' : 'read', pageRecords: 3 }, { seed });
      const { shardId } = world;
      const { random, clock } = world;
      const slow = { pollMs: 10 * MINUTE, idleMs: 10 * MINUTE };
      const followers = [world.follow(shardId, { at: 'start' }, slow)];
      for (let step = 0; step < 25; step++) {
        const follower = followers.at(-1);
        world.append(random.integer(5));
        if (follower && random.chance(0.3)) follower.paused = !follower.paused;
        if (follower && !follower.paused) follower.resume();
        if (follower && random.chance(0.2)) {
          follower.stop.abort();
          await clock.runUntil(follower.done);
          const position = followers.map(one => one.position).findLast(({ at }) => at !== 'start') ?? follower.position;
          await clock.advance(random.integer(3) * 9 * HOUR);
          followers.push(world.follow(shardId, position, slow));
        }
        await clock.advance(random.integer(3) === 0 ? random.integer(20 * HOUR) : random.integer(3_000));
      }
      world.stream.roll(shardId);
      followers.at(-1)?.resume();
      await clock.runUntil(() => followers.at(-1)?.ended === true, { maxMs: 30 * HOUR });
      const tokens = followers.flatMap(one => one.tokens);
      const gaps = followers.flatMap(one => one.gaps);
      const isIn = ({ from = '', to = '9'.repeat(40) }: (typeof gaps)[number], token: string) =>
        compareTokens(from, token) <= 0 && compareTokens(token, to) < 0;
      const came = new Set(tokens);
      expect(came.size, `seed ${seed}: twice`).to.equal(tokens.length);
      const silent = written(world.stream, shardId).filter(token => !came.has(token) && !gaps.some(gap => isIn(gap, token)));
      expect(silent, `seed ${seed}: lost in silence`).to.deep.equal([]);
      expect(
        tokens.filter(token => gaps.some(gap => isIn(gap, token) && token !== gap.from)),
        `seed ${seed}: in a gap and yet here`,
      ).to.deep.equal([]);
    }
  });

  describe('of a shard that is opened late at its start', () => {
    /** A shard that began 25 hours ago, closed after 4, with records at its begin and in its third hour. */
    const old = async (world: ShardWorld, more: { early: boolean }) => {
      const { shardId } = world;
      if (more.early) world.append(2);
      await world.clock.advance(3 * HOUR);
      world.append(2);
      await world.clock.advance(HOUR);
      world.stream.roll(shardId);
      await world.clock.advance(21 * HOUR);
      return shardId;
    };

    it('the hole reaches from its first number to the first record read', async () => {
      const world = new ShardWorld();
      const shardId = await old(world, { early: true });
      const all = written(world.stream, shardId);
      const follower = world.follow(shardId);
      await world.clock.runUntil(follower.done);
      expect(follower.tokens).to.deep.equal(all.slice(2));
      expect(follower.gaps.map(({ from, to }) => [from, to])).to.deep.equal([[all[0], all[2]]]);
    });

    it('there is none when the first record read is the shard’s first', async () => {
      const world = new ShardWorld();
      const shardId = await old(world, { early: false });
      const follower = world.follow(shardId);
      await world.clock.runUntil(follower.done);
      expect(follower.records.length).to.equal(2);
      expect(follower.gaps).to.deep.equal([]);
    });

    it('an hour before the retention is over there is none', async () => {
      const world = new ShardWorld();
      const { shardId } = world;
      await world.clock.advance(HOUR);
      world.append(1);
      world.stream.roll(shardId);
      await world.clock.advance(21 * HOUR);
      const follower = world.follow(shardId, { at: 'start' }, { startingToken: undefined });
      await world.clock.runUntil(follower.done);
      expect(follower.gaps).to.deep.equal([]);
    });

    it('an id that does not tell its age is no reason for a gap, nor for a fault', async () => {
      const world = new ShardWorld({}, { shardId: (_, nth) => `shard-${nth}` });
      const shardId = await old(world, { early: true });
      const follower = world.follow(shardId);
      await world.clock.runUntil(follower.done);
      expect(follower.records.length).to.equal(2);
      expect(follower.gaps).to.deep.equal([]);
    });
  });

  describe('of a number that a local server fails on', () => {
    const at = (world: ShardWorld, token: string) => ({ at: 'after', token, changedAt: world.clock.now() }) as const;

    it('after some tries it reads from the oldest record, and skips up to the number without a gap', async () => {
      const world = new ShardWorld({ unknownNumber: 'fails' });
      world.append(2);
      world.streams.numberFrom(10n ** 20n + 10n);
      world.append(2);
      const follower = world.follow(world.shardId, at(world, String(10n ** 20n + 5n)));
      await world.clock.runUntil(() => follower.records.length > 0, { maxMs: 2 * MINUTE });
      expect(follower.tokens).to.deep.equal(written(world.stream, world.shardId).slice(2));
      expect(follower.gaps).to.deep.equal([]);
      expect(world.streams.calls.iterator).to.equal(9);
      follower.stop.abort();
    });

    it('a first record beyond the number is a gap: what lay between cannot be known', async () => {
      const world = new ShardWorld({ unknownNumber: 'fails' });
      world.append(2);
      const follower = world.follow(world.shardId, at(world, '7'));
      await world.clock.runUntil(() => follower.records.length === 2, { maxMs: 2 * MINUTE });
      expect(follower.gaps.map(({ from, to }) => [from, to])).to.deep.equal([['7', follower.tokens[0]]]);
      follower.stop.abort();
    });
  });
});
