import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import type { StreamApi } from '../../../src/ports/stream-api.ts';
import type { StreamFate } from '../../fakes/fake-stream-rules.ts';
import { randomFate } from '../../fakes/random-fate.ts';
import { ShardWorld, written } from '../../fakes/shard-world.ts';

const MINUTE = 60_000;

describe('trouble of a shard reader', () => {
  it('expired-iterator-mid-shard: after 16 minutes without room it goes on after the last delivered record', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.append(5);
    const follower = world.follow(shardId);
    await world.clock.runUntil(() => follower.records.length === 5);
    follower.paused = true;
    world.append(5);
    await world.clock.advance(16 * MINUTE);
    expect(follower.records.length).to.equal(5);
    follower.resume();
    await world.clock.runUntil(() => follower.records.length === 10, { maxMs: 20 });
    expect(follower.tokens).to.deep.equal(written(world.stream, shardId));
    expect(world.streams.calls.iterator).to.equal(2);
    expect(follower.gaps).to.deep.equal([]);
    follower.stop.abort();
  });

  it('expired-iterator-before-first-record: the start is asked for again, never a place after nothing', async () => {
    const world = new ShardWorld();
    const places: unknown[] = [];
    world.streams.fate = ({ place }) => {
      if (place) places.push(place);
      return 'pass';
    };
    const follower = world.follow(world.shardId);
    await world.clock.runUntil(() => follower.pages.length === 1);
    follower.paused = true;
    await world.clock.advance(16 * MINUTE);
    world.append(1);
    follower.resume();
    await world.clock.runUntil(() => follower.records.length === 1, { maxMs: 1_000 });
    expect(places).to.deep.equal([{ type: 'TRIM_HORIZON' }, { type: 'TRIM_HORIZON' }]);
    follower.stop.abort();
  });

  it('an iterator that expired while throttles were waited out is replaced at once', async () => {
    const world = new ShardWorld({ iteratorLifeMs: 1_000 });
    world.append(3);
    const readAt: number[] = [];
    world.streams.fate = ({ operation }) => {
      if (operation !== 'read') return 'pass';
      readAt.push(world.clock.elapsed());
      return readAt.length <= 8 ? 'throttled' : 'pass';
    };
    const follower = world.follow(world.shardId);
    await world.clock.runUntil(() => follower.records.length === 3, { maxMs: 120_000 });
    const [expired = 0, read = 0] = readAt.slice(-2);
    expect([world.streams.calls.iterator, read - expired < 10]).to.deep.equal([2, true]);
    follower.stop.abort();
  });

  it('throttled-getrecords: thirty seconds of throttles lose nothing, end nothing, and are told with growing distance', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.append(3);
    world.streams.fate = ({ operation }) => (operation === 'read' && world.clock.elapsed() < 30_000 ? 'throttled' : 'pass');
    const follower = world.follow(shardId);
    await world.clock.advance(30_000);
    expect(follower.pages).to.deep.equal([]);
    expect(world.seen.throttles).to.be.within(6, 40);
    await world.clock.runUntil(() => follower.records.length === 3, { maxMs: 10_500 });
    expect(follower.ended).to.equal(false);
    expect(world.streams.calls.iterator).to.equal(1);
    follower.stop.abort();
  });

  it('two-reader-limit: with a Lambda trigger and a rival beside us the likely cause is said once, and all is read', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.append(3_000);
    world.streams.slots.outside.set(shardId, 1);
    const rival = world.follow(shardId);
    await world.clock.runUntil(() => rival.pages.length === 1);
    const follower = world.follow(shardId);
    await world.clock.advance(MINUTE);
    expect(world.seen.throttles).to.be.greaterThan(5);
    rival.stop.abort();
    await world.clock.runUntil(() => follower.records.length === 3_000, { maxMs: 30_000 });
    const said = world.log.lines.filter(({ level }) => level === 'warn');
    expect(said.map(({ message }) => message).join('\n')).to.match(/Lambda trigger or another consumer/);
    expect(said.length).to.equal(1);
    expect(said[0]?.fields).to.include({ table: 'orders', shardId });
    follower.stop.abort();
  });

  it('cost-counter: the reads that it tells of are those that are billed', async () => {
    const world = new ShardWorld();
    world.streams.fate = randomFate(world.random, { throttled: 0.2, server: 0.1, expired: 0.05, empty: 0.1 });
    const follower = world.follow(world.shardId);
    for (let i = 0; i < 50; i++) {
      world.append(7);
      await world.clock.advance(1_000);
    }
    follower.stop.abort();
    await world.clock.runUntil(follower.done);
    expect(world.seen.reads).to.equal(world.streams.reads);
    expect(world.seen.records).to.be.at.least(350);
  });

  for (const fault of ['network', 'server', 'expired', 'throttled'] as const) {
    it(`a fault of class ${fault} is waited out, wherever it strikes`, async () => {
      const world = new ShardWorld();
      const { shardId } = world;
      world.append(3);
      world.stream.roll(shardId);
      let calls = 0;
      world.streams.fate = () => (calls++ % 8 < 7 ? new ServiceFault('Trouble', 'in the way', { class: fault }) : 'pass');
      const follower = world.follow(shardId);
      await world.clock.runUntil(follower.done, { maxMs: 5 * MINUTE });
      expect(follower.ended).to.equal(true);
      expect(follower.tokens).to.deep.equal(written(world.stream, shardId));
      expect(world.log.lines.length).to.be.below(10);
    });
  }

  for (const fault of ['denied', 'invalid', 'condition'] as const) {
    it(`a fault of class ${fault} is thrown`, async () => {
      const world = new ShardWorld();
      world.append(1);
      world.streams.fate = () => new ServiceFault('Refused', 'never', { class: fault });
      const follower = world.follow(world.shardId);
      await world.clock.runUntil(follower.done, { maxMs: MINUTE });
      expect(follower.error).to.be.instanceOf(ServiceFault);
    });
  }

  it('an iterator that the server does not know any more is asked for anew', async () => {
    const world = new ShardWorld();
    world.append(2);
    let sick = 2;
    world.streams.fate = ({ operation }) =>
      operation === 'read' && sick-- > 0 ? new ServiceFault('ValidationException', 'Invalid ShardIterator', { class: 'invalid' }) : 'pass';
    const follower = world.follow(world.shardId);
    await world.clock.runUntil(() => follower.records.length === 2);
    expect(world.streams.calls.iterator).to.equal(3);
    follower.stop.abort();
  });

  it('returns without a throw when the signal aborts, wherever it stands', async () => {
    for (const atMs of [0, 0.5, 1, 1.5, 2.5, 100, 260]) {
      const world = new ShardWorld();
      world.append(1);
      const follower = world.follow(world.shardId);
      await world.clock.advance(atMs);
      follower.stop.abort();
      await world.clock.runUntil(follower.done, { maxMs: 10 });
      expect(follower.error, `at ${atMs}`).to.equal(undefined);
      expect(follower.ended).to.equal(false);
    }
  });

  it('ends a request under way when the signal aborts, and does not wait for a listing', async () => {
    const world = new ShardWorld();
    world.streams.fate = () => ({ delayMs: 10 * MINUTE });
    const follower = world.follow(world.shardId);
    await world.clock.advance(100);
    follower.stop.abort();
    await world.clock.runUntil(follower.done, { maxMs: 1 });

    const other = new ShardWorld();
    const { shardId } = other;
    other.stream.roll(shardId);
    const ending = other.follow(shardId, { at: 'start' }, { standing: () => new Promise(() => {}) });
    await other.clock.advance(1_000);
    ending.stop.abort();
    await other.clock.runUntil(ending.done, { maxMs: 1 });
    expect([ending.ended, ending.error]).to.deep.equal([false, undefined]);
  });

  it('begins no request when the signal aborts between two', async () => {
    const world = new ShardWorld();
    const stop = new AbortController();
    let aborted = false;
    const api: StreamApi = {
      describe: () => Promise.reject(new Error('not asked')),
      children: () => Promise.reject(new Error('not asked')),
      iterator: async () => {
        stop.abort();
        return { is: 'iterator', iterator: 'one', servedAt: 0 };
      },
      read: async (_, __, signal) => {
        aborted = signal.aborted;
        throw new ServiceFault('AbortError', 'aborted', { class: 'aborted' });
      },
    };
    const pages = world.reader(world.shardId, { api }).pages({ at: 'start' }, stop.signal)[Symbol.asyncIterator]();
    const next = pages.next();
    await world.clock.runUntil(next);
    expect([(await next).done, aborted]).to.deep.equal([true, true]);
  });

  it('faults before iterators that are given in the end do not add up to a number that is not known', async () => {
    const world = new ShardWorld();
    world.append(1);
    const places = new Set<string>();
    const follower = world.follow(world.shardId);
    await world.clock.runUntil(() => follower.records.length === 1);
    const fates: StreamFate[] = [];
    world.streams.fate = ({ place }) => {
      if (place) places.add(place.type);
      return fates.shift() ?? 'pass';
    };
    for (let i = 0; i < 12; i++) {
      fates.push('expired', new ServiceFault('InternalServerError', 'once', { class: 'server' }));
      world.append(1);
      await world.clock.runUntil(() => follower.records.length === i + 2);
    }
    expect(fates).to.deep.equal([]);
    expect([...places]).to.deep.equal(['AFTER_SEQUENCE_NUMBER']);
    expect(follower.tokens).to.deep.equal(written(world.stream, world.shardId));
    follower.stop.abort();
  });

  it('leaves one listener on the signal for as long as it reads, and none behind', async () => {
    const world = new ShardWorld();
    const follower = world.follow(world.shardId);
    let most = 0;
    for (let i = 0; i < 200; i++) {
      world.append(1);
      await world.clock.advance(300);
      most = Math.max(most, getEventListeners(follower.stop.signal, 'abort').length);
    }
    expect(follower.records.length).to.equal(200);
    expect(most).to.be.at.most(2);
    follower.stop.abort();
    await world.clock.runUntil(follower.done);
    expect(getEventListeners(follower.stop.signal, 'abort').length).to.equal(0);
  });

  it('reads everything once and in order under faults of every kind, seed by seed', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const world = new ShardWorld({ endsEmpty: seed % 2 === 0, listingDelayMs: (seed % 3) * 1_000 }, { seed });
      world.streams.fate = randomFate(world.random, {
        throttled: 0.1,
        lost: 0.05,
        server: 0.05,
        expired: 0.1,
        empty: 0.1,
        short: 0.2,
        gone: 0.02,
        slow: 0.1,
      });
      const { shardId } = world;
      const follower = world.follow(shardId);
      for (let i = 0; i < 20; i++) {
        world.append(world.random.integer(50));
        await world.clock.advance(world.random.integer(2_000));
      }
      world.stream.roll(shardId);
      await world.clock.runUntil(follower.done, { maxMs: 10 * MINUTE });
      expect(follower.ended, `seed ${seed}`).to.equal(true);
      expect(follower.tokens, `seed ${seed}`).to.deep.equal(written(world.stream, shardId));
      expect(follower.gaps, `seed ${seed}`).to.deep.equal([]);
    }
  });
});
