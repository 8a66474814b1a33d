import { expect } from 'chai';
import type { Position } from '../../../src/model/position.ts';
import { SOURCE } from '../../fakes/pipeline-world.ts';
import { Follower, HOUR, ShardWorld, written } from '../../fakes/shard-world.ts';

const MINUTE = 60_000;

const tipOf = (world: ShardWorld): Position => ({ at: 'tip', takenAt: world.streams.now() });

function placesAsked(world: ShardWorld): string[] {
  const places: string[] = [];
  world.streams.fate = ({ place }) => {
    if (place) places.push(place.type);
    return 'pass';
  };
  return places;
}

/** The iterator that is taken before a tip's time, given once. */
async function atTip(world: ShardWorld): Promise<() => string | undefined> {
  const iterators: string[] = [];
  const source = { ...SOURCE, streamArn: world.stream.arn, partition: world.shardId };
  const asked = world.streams.iterator(source, { type: 'LATEST' }, new AbortController().signal).then(answer => {
    if (answer.is === 'iterator') iterators.push(answer.iterator);
  });
  await world.clock.runUntil(asked);
  return () => iterators.pop();
}

describe('a tip', () => {
  it('is read by the iterator that was taken there, where it was saved', async () => {
    const world = new ShardWorld();
    world.append(3);
    await world.clock.advance(HOUR);
    const tipIterator = await atTip(world);
    const places = placesAsked(world);
    const follower = world.follow(world.shardId, tipOf(world), { tipIterator });
    await world.clock.runUntil(() => follower.pages.length === 1);
    world.append(2);
    await world.clock.runUntil(() => follower.records.length === 2);
    expect(follower.tokens).to.deep.equal(written(world.stream, world.shardId).slice(3));
    expect(places).to.deep.equal([]);
    follower.stop.abort();
  });

  it('latest-crash-before-first-checkpoint: opened again it reads from the start, and skips what is older than its time less 61 s', async () => {
    const world = new ShardWorld();
    world.append(1_500);
    await world.clock.advance(5 * MINUTE);
    const tip = tipOf(world);
    await world.clock.advance(100);
    world.append(4);
    await world.clock.advance(2 * MINUTE);
    const places = placesAsked(world);
    const follower = world.follow(world.shardId, tip);
    await world.clock.runUntil(() => follower.records.length > 0, { maxMs: 1_000 });
    expect(places).to.deep.equal(['TRIM_HORIZON']);
    expect(follower.tokens).to.deep.equal(written(world.stream, world.shardId).slice(1_500));
    expect(follower.gaps).to.deep.equal([]);
    follower.stop.abort();
  });

  it('what a local server dates to the minute is not skipped', async () => {
    const world = new ShardWorld();
    await world.clock.advance(10 * MINUTE + 59_000);
    const tip = tipOf(world);
    await world.clock.advance(500);
    world.stream.append(world.shardId, { changedAt: Math.floor(world.streams.now() / MINUTE) * MINUTE });
    const follower = world.follow(world.shardId, tip);
    await world.clock.runUntil(() => follower.records.length === 1);
    follower.stop.abort();
  });

  it('once one record was given, a later one with an older time is given too', async () => {
    const world = new ShardWorld();
    await world.clock.advance(HOUR);
    const tip = tipOf(world);
    world.append(1);
    world.stream.append(world.shardId, { changedAt: world.streams.now() - 10 * MINUTE });
    const follower = world.follow(world.shardId, tip);
    await world.clock.runUntil(() => follower.records.length === 2);
    follower.stop.abort();
  });

  it('is read so once: a second pass reads from the start', async () => {
    const world = new ShardWorld();
    await world.clock.advance(HOUR);
    const tipIterator = await atTip(world);
    const tip = tipOf(world);
    const places = placesAsked(world);
    const reader = world.reader(world.shardId, { tipIterator });
    for (let pass = 0; pass < 2; pass++) {
      const abort = new AbortController();
      const first = reader.pages(tip, abort.signal)[Symbol.asyncIterator]().next();
      await world.clock.runUntil(first);
      abort.abort();
    }
    expect(places).to.deep.equal(['TRIM_HORIZON']);
  });

  it('a server that gives an open shard no next iterator is known to all passes: what came between an empty page and the close is read', async () => {
    const world = new ShardWorld({ nextOnOpen: 'absent' });
    await world.clock.advance(HOUR);
    const { shardId } = world;
    const tip = tipOf(world);
    const reader = world.reader(shardId);
    const first = new Follower(reader, tip);
    await world.clock.runUntil(() => first.pages.length === 2);
    first.stop.abort();
    const second = new Follower(reader, tip);
    await world.clock.runUntil(() => second.pages.length === 1);
    world.append(2);
    world.stream.disable();
    await world.clock.runUntil(() => second.ended, { maxMs: 60_000 });
    expect(second.tokens).to.deep.equal(written(world.stream, shardId));
  });

  it('expired-iterator-before-first-record: the pinned time decides, not a new LATEST', async () => {
    const world = new ShardWorld();
    world.append(3);
    await world.clock.advance(HOUR);
    const tipIterator = await atTip(world);
    const places = placesAsked(world);
    const follower = world.follow(world.shardId, tipOf(world), { tipIterator });
    await world.clock.runUntil(() => follower.pages.length === 1);
    follower.paused = true;
    world.append(2);
    await world.clock.advance(16 * MINUTE);
    follower.resume();
    await world.clock.runUntil(() => follower.records.length === 2);
    expect(places).to.deep.equal(['TRIM_HORIZON']);
    expect(follower.tokens).to.deep.equal(written(world.stream, world.shardId).slice(3));
    follower.stop.abort();
  });

  it('an iterator that expires among skipped records does not begin them again', async () => {
    const world = new ShardWorld();
    world.append(1_500);
    await world.clock.advance(HOUR);
    const tip = tipOf(world);
    world.append(1);
    const places = placesAsked(world);
    const follower = world.follow(world.shardId, tip);
    await world.clock.runUntil(() => follower.pages.length === 1);
    follower.paused = true;
    await world.clock.advance(16 * MINUTE);
    follower.resume();
    await world.clock.runUntil(() => follower.records.length === 1);
    expect(places).to.deep.equal(['TRIM_HORIZON', 'AFTER_SEQUENCE_NUMBER']);
    follower.stop.abort();
  });

  it('opened again a day later, what may have been trimmed since is a gap', async () => {
    const world = new ShardWorld();
    const tip = tipOf(world);
    world.append(2);
    await world.clock.advance(5 * HOUR);
    world.append(2);
    await world.clock.advance(20 * HOUR);
    const follower = world.follow(world.shardId, tip);
    await world.clock.runUntil(() => follower.records.length === 2);
    expect(follower.gaps.map(({ reason, to }) => [reason, to])).to.deep.equal([['trimmed', follower.tokens[0]]]);
    follower.stop.abort();
  });

  it('no gap where an older record than the tip is still held', async () => {
    const world = new ShardWorld();
    await world.clock.advance(2 * MINUTE);
    world.append(1);
    await world.clock.advance(2 * MINUTE);
    const tip = tipOf(world);
    world.append(1);
    await world.clock.advance(23 * HOUR + 30 * MINUTE);
    const follower = world.follow(world.shardId, tip);
    await world.clock.runUntil(() => follower.records.length === 1);
    expect(follower.gaps).to.deep.equal([]);
    follower.stop.abort();
  });
});
