import { expect } from 'chai';
import type { Page } from '../../../src/model/page.ts';
import { compareTokens } from '../../../src/model/position.ts';
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
      // Read once more after the listing has shown it closed: some servers have no next iterator on an open shard either.
      [0, undefined],
      [0, true],
    ]);
    expect(world.streams.calls.read).to.equal(2);
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
    it(`${name}: what comes between the last read and the listing that shows the shard closed is read`, async () => {
      const world = new ShardWorld({ nextOnOpen });
      const { shardId } = world;
      world.streams.fate = ({ operation }) => (operation === 'describe' ? 'lost' : 'pass');
      const follower = world.follow(shardId);
      await world.clock.advance(500);
      world.append(3);
      world.stream.roll(shardId);
      world.streams.fate = () => 'pass';
      await world.clock.runUntil(follower.done, { maxMs: 30_000 });
      expect(follower.tokens).to.deep.equal(written(world.stream, shardId));
    });

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

  it('zero-record-shard: it ends without a record', async () => {
    const world = new ShardWorld();
    const { shardId } = world;
    world.stream.roll(shardId);
    const follower = world.follow(shardId);
    await world.clock.runUntil(follower.done, { maxMs: 1_000 });
    expect(follower.pages.map(({ records, end }) => [records.length, end])).to.deep.equal([
      [0, undefined],
      [0, undefined],
      [0, true],
    ]);
    expect(follower.gaps).to.deep.equal([]);
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
});
