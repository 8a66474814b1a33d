import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import type { Page } from '../../../src/model/page.ts';
import { compareTokens } from '../../../src/model/position.ts';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import type { StreamApi } from '../../../src/ports/stream-api.ts';
import type { StreamFate } from '../../fakes/fake-stream-rules.ts';
import { randomFate } from '../../fakes/random-fate.ts';
import { ShardWorld, written } from '../../fakes/shard-world.ts';

const MINUTE = 60_000;

describe('shard reader', () => {
  it('last-page-delivered: records that come with no next iterator are delivered, then the shard ends', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.append(3);
    world.stream.roll(shardId);
    const follower = world.follow(shardId);
    await world.clock.runUntil(follower.done);
    expect(follower.tokens).to.deep.equal(written(world.stream, shardId));
    expect(follower.pages.map(({ records, end }) => [records.length, end])).to.deep.equal([
      [3, undefined],
      [0, true],
    ]);
    expect(world.streams.calls.read).to.equal(1);
  });

  it('empty-pages-inside-shard: fifty empty pages are followed to the records behind them, without a wait above idleMilliseconds', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.append(1);
    let empty = 50;
    const readAt: number[] = [];
    world.streams.fate = ({ operation }) => {
      if (operation !== 'read') return 'pass';
      readAt.push(world.clock.elapsed());
      return empty-- > 0 ? 'empty' : 'pass';
    };
    const follower = world.follow(shardId, { at: 'start' }, { idleMs: 1_000 });
    await world.clock.runUntil(() => follower.records.length === 1);
    const waits = readAt.slice(1).map((at, i) => at - (readAt[i] ?? 0));
    expect(Math.max(...waits)).to.be.within(900, 1_010);
    expect(waits.slice(0, 30).every(wait => wait < 260)).to.equal(true);
    follower.stop.abort();
    await world.clock.runUntil(follower.done);
  });

  it('idle-shard-backs-off: an idle open shard is read at the idle rate, and its first record comes within it', async () => {
    const world = new ShardWorld();
    const follower = world.follow(world.shardId, { at: 'start' }, { idleMs: 4_000 });
    await world.clock.advance(2 * MINUTE);
    const before = world.streams.reads;
    await world.clock.advance(10 * MINUTE);
    expect(world.streams.reads - before).to.be.at.most(151);
    world.append(1);
    await world.clock.runUntil(() => follower.records.length === 1, { maxMs: 5_000 });
    const at = world.streams.reads;
    world.append(1);
    await world.clock.runUntil(() => follower.records.length === 2, { maxMs: 260 });
    expect(world.streams.reads).to.equal(at + 1);
    follower.stop.abort();
  });

  it('closed-shard-full-speed: empty stretches of a closed shard are not waited in', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.append(1);
    world.stream.roll(shardId);
    let empty = 200;
    world.streams.fate = ({ operation }) => (operation === 'read' && empty-- > 0 ? 'empty' : 'pass');
    const follower = world.follow(shardId, { at: 'start' }, { idleMs: 60_000 });
    await world.clock.runUntil(follower.done, { maxMs: 200 * 253 + 1_000 });
    expect(follower.ended).to.equal(true);
    expect(follower.pages.slice(0, 200).some(page => page.atTip)).to.equal(false);
  });

  it('a full page is followed within 50 ms, another one after pollMilliseconds', async () => {
    const world = new ShardWorld();
    world.append(2_500);
    const follower = world.follow(world.shardId);
    const pageAt: number[] = [];
    for (let n = 1; n <= 4; n++) {
      await world.clock.runUntil(() => follower.pages.length === n);
      pageAt.push(world.clock.elapsed());
    }
    const [first = 0, second = 0, third = 0, fourth = 0] = pageAt;
    expect(second - first).to.be.below(50);
    expect(third - second).to.be.below(50);
    expect(fourth - third).to.be.within(250, 260);
    expect(follower.pages.map(page => page.atTip)).to.deep.equal([undefined, undefined, true, true]);
    follower.stop.abort();
  });

  it('one-mb-pages: pages of two large records are full ones', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    for (let i = 0; i < 10; i++) world.stream.append(shardId, { sizeBytes: 400_000, bytes: 450_000 });
    const follower = world.follow(shardId);
    await world.clock.runUntil(() => follower.records.length === 10, { maxMs: 100 });
    expect(follower.pages.map(({ records }) => records.length)).to.deep.equal([2, 2, 2, 2, 2]);
    follower.stop.abort();
  });

  for (const nextOnOpen of ['absent', 'empty-text'] as const) {
    const name = nextOnOpen === 'absent' ? 'null-iterator-on-open-shard' : 'empty-string-iterator';
    it(`${name}: it is no end while the listing shows the shard open`, async () => {
      const world = new ShardWorld({ nextOnOpen });
      const { shardId } = world;
      const follower = world.follow(shardId);
      for (let i = 0; i < 20; i++) {
        world.append(2);
        await world.clock.advance(700);
      }
      await world.clock.advance(MINUTE);
      expect(follower.ended).to.equal(false);
      expect(follower.tokens).to.deep.equal(written(world.stream, shardId));
      world.append(1);
      world.stream.roll(shardId);
      await world.clock.runUntil(follower.done, { maxMs: 5_000 });
      expect(follower.ended).to.equal(true);
      expect(follower.tokens).to.deep.equal(written(world.stream, shardId));
    });
  }

  it('an end that the listing does not show yet waits for it, reading on at a growing distance', async () => {
    const world = new ShardWorld({ listingDelayMs: 8_000 });
    await world.clock.advance(10_000);
    const { shardId } = world;
    world.append(1);
    world.stream.roll(shardId);
    const follower = world.follow(shardId);
    await world.clock.runUntil(() => follower.records.length === 1);
    await world.clock.advance(7_000);
    expect(follower.ended).to.equal(false);
    await world.clock.runUntil(follower.done, { maxMs: 3_000 });
    expect(follower.ended).to.equal(true);
    expect(world.streams.calls.read).to.be.below(14);
  });

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

  it('zero-record-shard: it ends without a record', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.stream.roll(shardId);
    const follower = world.follow(shardId);
    await world.clock.runUntil(follower.done, { maxMs: 1_000 });
    expect(follower.pages.map(({ records, end }) => [records.length, end])).to.deep.equal([
      [0, undefined],
      [0, true],
    ]);
    expect(follower.gaps).to.deep.equal([]);
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

  it('sequence-bigint: numbers of 21 and 24 digits are in their numeric order', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.streams.numberFrom(10n ** 21n - 2n);
    world.append(4);
    world.streams.numberFrom(10n ** 24n - 1n);
    world.append(2);
    const [, second = ''] = written(world.stream, shardId);
    const follower = world.follow(shardId, { at: 'after', token: second, changedAt: world.clock.now() });
    await world.clock.runUntil(() => follower.records.length === 4);
    expect(follower.tokens).to.deep.equal(written(world.stream, shardId).slice(2));
    expect(follower.tokens).to.deep.equal([...follower.tokens].sort(compareTokens));
    follower.stop.abort();
  });

  it('begins at a record, or after it', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.append(5);
    const [, second = '', third = ''] = written(world.stream, shardId);
    const at = world.follow(shardId, { at: 'from', token: second, changedAt: 0 });
    const after = world.follow(shardId, { at: 'after', token: second, changedAt: 0 });
    await world.clock.runUntil(() => at.records.length === 4 && after.records.length === 3);
    expect(at.tokens[0]).to.equal(second);
    expect(after.tokens[0]).to.equal(third);
    at.stop.abort();
    after.stop.abort();
  });

  it('drops what a server gives again that lies before the place', async () => {
    const world = new ShardWorld({ unknownNumber: 'from-start' });
    const { shardId } = world;
    world.append(5);
    const last = written(world.stream, shardId).at(-1) ?? '';
    const unknown = `${last}0`;
    const follower = world.follow(shardId, { at: 'after', token: unknown, changedAt: world.clock.now() });
    await world.clock.advance(1_000);
    expect(follower.records).to.deep.equal([]);
    world.streams.numberFrom(BigInt(unknown) + 5n);
    world.append(1);
    await world.clock.runUntil(() => follower.records.length === 1);
    expect(follower.gaps).to.deep.equal([]);
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

  it('asks for a permit right before each read, and answers each with one page', async () => {
    const world = new ShardWorld();
    world.append(2_500);
    const signal = new AbortController();
    let asked = 0;
    const pages: Page[] = [];
    const done = (async () => {
      const permit = async () => {
        asked += 1;
        expect(world.streams.calls.read).to.equal(asked - 1);
        return asked <= 4;
      };
      for await (const page of world.reader(world.shardId).pages({ at: 'start' }, signal.signal, permit)) pages.push(page);
    })();
    await world.clock.runUntil(done);
    expect([asked, pages.length]).to.deep.equal([5, 4]);
  });

  it('no record is copied: what is read is what is delivered', async () => {
    const world = new ShardWorld();
    world.append(10);
    const read: unknown[] = [];
    const api = {
      describe: world.streams.describe.bind(world.streams),
      children: world.streams.children.bind(world.streams),
      iterator: world.streams.iterator.bind(world.streams),
      read: async (...at: Parameters<typeof world.streams.read>) => {
        const answer = await world.streams.read(...at);
        if (answer.is === 'page') read.push(answer.records);
        return answer;
      },
    };
    const follower = world.follow(world.shardId, { at: 'start' }, { api });
    await world.clock.runUntil(() => follower.records.length === 10);
    expect(follower.pages[0]?.records).to.equal(read[0]);
    follower.stop.abort();
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
