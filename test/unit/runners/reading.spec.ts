import { expect } from 'chai';
import { partsOfLeaseKey } from '../../../src/ports/lease-store.ts';
import { DaemonWorld, missing, tokensOf } from '../../fakes/daemon-world.ts';
import type { StreamRules } from '../../fakes/fake-stream-rules.ts';
import { hangs, outOfOrder, type ScriptedTarget, writesAll } from '../../fakes/pipeline-world.ts';

const MINUTE = 60_000;

/** What servers answer to reads, and what of it reaches a sink and the rows. */
describe('reading, as the daemon does it', () => {
  let world: DaemonWorld;
  let a: ScriptedTarget;

  beforeEach(() => worldOf());

  afterEach(async () => {
    await world.stopAll();
    for (const { end } of world.workers) if (end?.error !== undefined) throw end.error;
  });

  function worldOf(rules: Partial<StreamRules> = {}): void {
    world = new DaemonWorld(rules);
    a = world.target('a');
  }

  const open = (): string => world.now.open[0]?.id ?? '';
  const row = (shardId: string) => [...world.leases.rows.values()].find(({ key }) => partsOfLeaseKey(key).shardId === shardId);

  /** When each read of the shard was asked for. */
  function readsOf(shardId: string): number[] {
    const at: number[] = [];
    const { fate } = world.streams;
    world.streams.fate = call => {
      if (call.operation === 'read' && call.shardId === shardId) at.push(world.clock.elapsed());
      return fate(call);
    };
    return at;
  }

  const waits = (at: readonly number[]) => at.slice(1).map((time, i) => time - (at[i] ?? 0));

  function placesAsked(): string[] {
    const places: string[] = [];
    const { fate } = world.streams;
    world.streams.fate = call => {
      if (call.place) places.push(call.place.type);
      return fate(call);
    };
    return places;
  }

  it('last-page-delivered: the row says SHARD_END only when the records of the last page are durable', async () => {
    const tokens = world.write(20);
    const shard = open();
    world.now.roll(shard);
    a.behaviour = writesAll(3_000);
    world.start();
    await world.clock.advance(2_900);
    expect([a.delivered.length, row(shard)?.checkpoint]).to.deep.equal([0, 'TRIM_HORIZON']);
    await world.clock.runUntil(() => row(shard)?.checkpoint === 'SHARD_END', { maxMs: 10_000 });
    expect(missing(a.delivered, tokens)).to.deep.equal([]);
  });

  it('empty-pages-inside-shard: fifty empty pages are read through, at no wait above idleMilliseconds', async () => {
    const tokens = world.write(5);
    let empty = 50;
    world.streams.fate = ({ operation }) => (operation === 'read' && empty-- > 0 ? 'empty' : 'pass');
    const reads = readsOf(open());
    world.start({ source: { idleMs: 2_000 } });
    await world.clock.runUntil(() => missing(a.delivered, tokens).length === 0, { maxMs: 50_000 });
    expect([Math.max(...waits(reads)) <= 2_010, reads.length]).to.deep.equal([true, 51]);
  });

  it('idle-shard-backs-off: read at the idle rate, and the first record comes within that and a second', async () => {
    const reads = readsOf(open());
    world.start({ source: { idleMs: 4_000 } });
    await world.clock.advance(MINUTE);
    reads.length = 0;
    await world.clock.advance(10 * MINUTE);
    expect(reads.length).to.be.at.most((10 * MINUTE) / 4_000 + 1);
    const tokens = world.write(1);
    await world.clock.advance(5_000);
    expect(missing(a.delivered, tokens)).to.deep.equal([]);
  });

  it('closed-shard-full-speed: what a closed shard holds is read without an idle wait, however empty its pages', async () => {
    const tokens = world.write(5);
    const shard = open();
    world.now.roll(shard);
    tokens.push(...world.write(5));
    let empty = 100;
    world.streams.fate = ({ operation, shardId }) => (operation === 'read' && shardId === shard && empty-- > 0 ? 'empty' : 'pass');
    const reads = readsOf(shard);
    world.start({ source: { idleMs: 60_000 } });
    await world.clock.runUntil(() => missing(a.delivered, tokens).length === 0, { maxMs: 35_000 });
    expect(Math.max(...waits(reads))).to.be.at.most(260);
  });

  for (const [name, nextOnOpen] of [
    ['null-iterator-on-open-shard', 'absent'],
    ['empty-string-iterator', 'empty-text'],
  ] as const) {
    it(`${name}: no SHARD_END, and reading goes on where it was`, async () => {
      worldOf({ nextOnOpen });
      const shard = open();
      const places = placesAsked();
      world.start();
      const tokens: string[] = [];
      for (let round = 0; round < 20; round++) {
        tokens.push(...world.write(3));
        await world.clock.advance(3_000);
      }
      expect([row(shard)?.checkpoint, row(shard)?.children]).to.deep.equal([tokens.at(-1), []]);
      expect(places.slice(-5)).to.deep.equal(Array(5).fill('AFTER_SEQUENCE_NUMBER'));
      expect(tokensOf(a.delivered).sort()).to.deep.equal(tokens);
    });
  }

  it('expired-iterator-mid-shard: a sink that takes nothing for 16 minutes gets everything, once and in order', async () => {
    a.behaviour = hangs;
    const tokens = Array.from({ length: 30 }, () => world.now.write({ pk: 'k', bytes: 500_000 }).token);
    world.streams.rules.pageRecords = 2;
    const places = placesAsked();
    const worker = world.start();
    await world.clock.advance(MINUTE);
    const { reads } = world.streams;
    await world.clock.advance(16 * MINUTE);
    expect([a.delivered.length, world.streams.reads - reads, worker.sink('a').state]).to.deep.equal([0, 0, 'stalled']);
    a.behaviour = writesAll();
    await world.clock.advance(MINUTE);
    expect([tokensOf(a.delivered), outOfOrder(a.delivered)]).to.deep.equal([tokens, undefined]);
    expect(places).to.include('AFTER_SEQUENCE_NUMBER');
    expect([world.moves, world.control.gapRows.size]).to.deep.equal([['free'], 0]);
  });

  for (const startingPosition of ['TRIM_HORIZON', 'LATEST'] as const) {
    it(`expired-iterator-before-first-record: from ${startingPosition}, never after a number that is not there`, async () => {
      const before = world.write(5);
      await world.clock.advance(5 * MINUTE);
      let expired = 3;
      world.streams.fate = ({ operation }) => (operation === 'read' && expired-- > 0 ? 'expired' : 'pass');
      const places = placesAsked();
      world.start({ source: { startingPosition } });
      await world.clock.runUntil(() => expired < 0);
      const tokens = world.write(5);
      await world.clock.advance(5_000);
      const fromStart = startingPosition === 'TRIM_HORIZON';
      expect(places).to.deep.equal([fromStart ? 'TRIM_HORIZON' : 'LATEST', 'TRIM_HORIZON', 'TRIM_HORIZON', 'TRIM_HORIZON']);
      expect(tokensOf(a.delivered).sort()).to.deep.equal(fromStart ? [...before, ...tokens] : tokens);
    });
  }

  it('zero-record-shard: it ends, and its child goes on from a row at TRIM_HORIZON', async () => {
    world.start();
    await world.clock.advance(2_000);
    const shard = open();
    const child = world.now.roll(shard).id;
    await world.clock.runUntil(() => row(child) !== undefined);
    expect(row(child)).to.deep.include({ checkpoint: 'TRIM_HORIZON', parents: [shard] });
    const tokens = world.write(5);
    await world.clock.advance(2_000);
    expect([row(shard)?.checkpoint, row(shard)?.children, missing(a.delivered, tokens)]).to.deep.equal(['SHARD_END', [child], []]);
    expect(world.control.gapRows.size).to.equal(0);
  });

  it('one-mb-pages: items of 400 KB come two a page, and never more than the limit is held, fast or slow', async () => {
    const b = world.target('b', {}, writesAll(500));
    const items = 200;
    const tokens = Array.from({ length: items }, (_, n) => world.now.write({ pk: `k${n % 10}`, sizeBytes: 400_000, bytes: 450_000 }).token);
    const memoryBytes = 16 * 1024 * 1024;
    const worker = world.start({ memoryBytes });
    let most = 0;
    for (let step = 0; step < 3_000 && missing(b.delivered, tokens).length > 0; step++) {
      await world.clock.advance(20);
      most = Math.max(most, worker.daemon.gauges().memoryBytes);
    }
    expect([missing(a.delivered, tokens), missing(b.delivered, tokens), outOfOrder(b.delivered)]).to.deep.equal([[], [], undefined]);
    expect(most).to.be.within(900_000, memoryBytes);
    expect(world.streams.reads).to.be.at.least(items / 2);
  });

  it('throttled-getrecords: thirty seconds of it cost no lease, end nothing and lose nothing', async () => {
    const shard = open();
    world.start();
    await world.clock.advance(2_000);
    const until = world.clock.elapsed() + 30_000;
    world.streams.fate = ({ operation }) => (operation === 'read' && world.clock.elapsed() < until ? 'throttled' : 'pass');
    const reads = readsOf(shard);
    const tokens = world.write(20);
    await world.clock.advance(30_000);
    expect([reads.length < 60, a.delivered.length, row(shard)?.owner]).to.deep.equal([true, 0, 'worker-1']);
    await world.clock.advance(11_000);
    expect([missing(a.delivered, tokens), world.moves, row(shard)?.checkpoint]).to.deep.equal([[], ['free'], tokens.at(-1)]);
  });
});
