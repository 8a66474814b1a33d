import { expect } from 'chai';
import type { Batch } from '../../../src/connector.ts';
import type { Ms } from '../../../src/model/units.ts';
import { DaemonWorld, missing, tokensOf } from '../../fakes/daemon-world.ts';
import { LeaseWatch } from '../../fakes/lease-watch.ts';
import { TIMING } from '../../fakes/lease-world.ts';
import { type Behaviour, DELIVERY, outOfOrder, type ScriptedTarget, throttles, writesAll } from '../../fakes/pipeline-world.ts';

/** What is saved of each sink's progress, and what a crash gives again because of it. */
describe('checkpoints of several sinks', () => {
  let world: DaemonWorld;
  let watch: LeaseWatch;

  beforeEach(() => worldOf(1));

  afterEach(async () => {
    await world.stopAll();
    for (const { end } of world.workers) if (end?.error !== undefined) throw end.error;
    expect([world.trespasses, watch.lowered]).to.deep.equal([[], []]);
  });

  function worldOf(roots: number): void {
    world = new DaemonWorld({}, { roots });
    watch = new LeaseWatch(world.leases);
  }

  const load = (ms: Ms, count = 4) => world.load(ms, { everyMs: 100, count, keys: 20 });

  const rows = () => [...world.leases.rows.values()];

  /** Writes everything but the records of one key, which fail for ever. */
  const refuses =
    (pk: string): Behaviour =>
    async (batch, at) => {
      const isPoison = ({ key }: Batch['records'][number]) => key === `S${pk}`;
      await writesAll(5)({ ...batch, records: batch.records.filter(record => !isPoison(record)) }, at);
      const failed = batch.records.flatMap((record, index) =>
        isPoison(record) ? [{ index, disposition: 'retry' as const, reason: 'not this one' }] : [],
      );
      return { failed };
    };

  it('in-flight-bound-after-crash: per shard and sink, what a window holds above its head and what was finished in the last second', async () => {
    const windowBytes = 20_000;
    for (let crash = 0; crash < 6; crash++) {
      worldOf(3);
      const finished = new Map<ScriptedTarget, { shard: string; token: string; at: Ms }[]>();
      const timed = (behaviour: Behaviour): Behaviour => {
        return async (batch, at) => {
          const from = at.target.delivered.length;
          const answer = await behaviour(batch, at);
          const list = finished.get(at.target) ?? [];
          finished.set(at.target, list);
          for (const { token, source } of at.target.delivered.slice(from))
            list.push({ shard: source.partition, token, at: at.clock.elapsed() });
          return answer;
        };
      };
      const [whole, holed] = [world.target('whole', {}, timed(writesAll(30))), world.target('holed', {}, timed(refuses('k3')))];
      const delivery = { ...DELIVERY, windowBytes };
      const worker = world.start({ sinks: { whole: { delivery }, holed: { delivery } } });
      const tokens = await load(6_000 + crash * 370);
      const crashAt = world.clock.elapsed();
      await world.kill(worker);
      const before = new Map([whole, holed].map(target => [target, [...(finished.get(target) ?? [])]]));
      holed.behaviour = timed(writesAll(5));
      world.start({ sinks: { whole: { delivery }, holed: { delivery } } });
      await world.clock.advance(30_000);
      for (const target of [whole, holed]) {
        expect([missing(target.delivered, tokens), outOfOrder(target.delivered)]).to.deep.equal([[], undefined]);
        const again = new Set(tokensOf(target.delivered.slice((before.get(target) ?? []).length)));
        for (const { id } of world.now.open) {
          const twice = (before.get(target) ?? []).filter(one => one.shard === id && again.has(one.token));
          const old = twice.filter(({ at }) => at < crashAt - 1_100);
          expect(old.length * 200, `${id}, crash ${crash}`).to.be.at.most(target === whole ? 0 : windowBytes);
        }
      }
    }
  });

  it('poison-record-key-only: its key waits, the others go on, and the position stays before it until it is written', async () => {
    const a = world.target('a', {}, refuses('k3'));
    const worker = world.start();
    const tokens = world.write(60);
    const poison = [...world.now.shards.values()].flatMap(({ stored }) => stored.filter(({ key }) => key === 'Sk3'));
    await world.clock.advance(60_000);
    expect(missing(a.delivered, tokens)).to.deep.equal(poison.map(({ token }) => token));
    expect([a.delivered.length, rows()[0]?.checkpoint]).to.deep.equal([54, tokens[2]]);
    expect(worker.sink('a')).to.deep.include({ state: 'stalled', open: 6 });
    a.behaviour = writesAll();
    await world.clock.advance(15_000);
    expect([missing(a.delivered, tokens), outOfOrder(a.delivered), rows()[0]?.checkpoint]).to.deep.equal([[], undefined, tokens.at(-1)]);
    expect(a.delivered.length).to.equal(60);
  });

  it('two-sinks-one-slow: KCL is told the slow one’s position, and after a crash each goes on from its own', async () => {
    const [fast, slow] = [world.target('fast'), world.target('slow')];
    const worker = world.start();
    const tokens = world.write(40);
    await world.clock.advance(3_000);
    slow.behaviour = throttles;
    tokens.push(...(await load(10_000)));
    await world.clock.advance(1_500);
    expect([missing(fast.delivered, tokens), rows()[0]?.checkpoint, slow.delivered.length]).to.deep.equal([[], tokens[39], 40]);
    await world.kill(worker);
    slow.behaviour = writesAll();
    world.start();
    await world.clock.advance(30_000);
    expect([missing(slow.delivered, tokens), fast.delivered.length, slow.delivered.length]).to.deep.equal([
      [],
      tokens.length,
      tokens.length,
    ]);
    expect(rows()[0]?.checkpoint).to.equal(tokens.at(-1));
  });

  it('position-never-lowered: a save that a frozen owner had sent arrives after its successor’s, and is refused by its condition', async () => {
    const a = world.target('a');
    const first = world.start();
    const tokens = await load(3_000);
    let late = true;
    world.leaseFate = operation => {
      if (operation !== 'write' || !late) return 'pass';
      late = false;
      return { delayMs: 25_000 };
    };
    tokens.push(...(await load(1_500)));
    expect(late).to.equal(false);
    first.process.freeze();
    world.start();
    tokens.push(...(await load(TIMING.durationMs + 12_000)));
    const [row] = rows();
    expect(row?.owner).to.equal('worker-2');
    const arrives = world.clock.elapsed() + 4_000;
    tokens.push(...(await load(4_000)));
    expect(world.clock.elapsed()).to.be.at.least(arrives);
    first.process.thaw();
    tokens.push(...(await load(2_000)));
    await world.clock.advance(2_000);
    expect([rows()[0]?.owner, rows()[0]?.checkpoint, missing(a.delivered, tokens)]).to.deep.equal(['worker-2', tokens.at(-1), []]);
  });
});
