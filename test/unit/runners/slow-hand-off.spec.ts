import { expect } from 'chai';
import type { Ms } from '../../../src/model/units.ts';
import { DaemonWorld, missing, tokensOf } from '../../fakes/daemon-world.ts';
import { LeaseWatch } from '../../fakes/lease-watch.ts';
import { NEVER, TIMING } from '../../fakes/lease-world.ts';
import { outOfOrder, type ScriptedTarget, writesAll } from '../../fakes/pipeline-world.ts';

/** Shards that move to another worker while their sinks are slower than the drain of 400 ms. */
describe('hand-off of shards whose sinks are slow', () => {
  let world: DaemonWorld;
  let watch: LeaseWatch;
  let a: ScriptedTarget;
  let tokens: string[];
  /** Writes of each shard that can still reach the target. */
  let inFlight: Map<string, number>;

  beforeEach(async () => {
    world = new DaemonWorld({}, { roots: 4 });
    watch = new LeaseWatch(world.leases);
    a = world.target('a');
    tokens = [];
    inFlight = new Map();
    world.start();
    await world.clock.advance(5_000);
  });

  afterEach(async () => {
    await world.stopAll();
    for (const { end } of world.workers) if (end?.error !== undefined) throw end.error;
    expect([world.trespasses, watch.lowered]).to.deep.equal([[], []]);
  });

  const load = async (ms: Ms) => void tokens.push(...(await world.load(ms, { everyMs: 50, count: 10, keys: 100 })));

  /** Durable after so long, whether or not it was aborted meanwhile. */
  function deafFor(ms: Ms): void {
    a.behaviour = async (batch, { target, clock }) => {
      const shard = batch.records[0]?.source.partition ?? '';
      inFlight.set(shard, (inFlight.get(shard) ?? 0) + 1);
      await clock.sleep(ms, NEVER);
      inFlight.set(shard, (inFlight.get(shard) ?? 0) - 1);
      target.store(batch.records);
      return { failed: [] };
    };
  }

  const owners = () => [...world.leases.rows.values()].map(({ owner }) => owner).sort();

  it('handoff-slow-sink: a lease is given away only when the writes of its shard have settled, also those that do not heed their abort', async () => {
    const open: number[] = [];
    const { write } = world.leases;
    world.leases.write = (seen, change, signal) => {
      if (change.handoffFrom !== undefined) open.push(inFlight.get(seen.key.slice(seen.key.lastIndexOf(':') + 1)) ?? 0);
      return write(seen, change, signal);
    };
    deafFor(1_500);
    await load(1_000);
    world.start();
    await load(6_000);
    expect([open, owners()]).to.deep.equal([
      [0, 0],
      ['worker-1', 'worker-1', 'worker-2', 'worker-2'],
    ]);
    a.behaviour = writesAll();
    await world.clock.advance(15_000);
    expect([missing(a.delivered, tokens), outOfOrder(a.delivered), world.moves.includes('expired')]).to.deep.equal([[], undefined, false]);
    // Of two shards, what was in flight when they were drained, at most.
    const twice = a.delivered.length - new Set(tokensOf(a.delivered)).size;
    expect(twice).to.be.at.most(2 * a.traits.inFlight * a.traits.batch.records);
  });

  it('handoff-slow-sink: a write that does not settle keeps its lease to the end of the right, and its shard is read after that', async () => {
    deafFor(25_000);
    await load(1_000);
    world.start();
    await load(TIMING.renewMs);
    a.behaviour = writesAll();
    expect(owners()).to.deep.equal(Array(4).fill('worker-1'));
    await world.clock.advance(2 * TIMING.durationMs + 2 * TIMING.renewMs);
    expect(world.moves.filter(reason => reason === 'expired').length).to.be.at.least(2);
    await world.clock.advance(60_000);
    expect([missing(a.delivered, tokens), outOfOrder(a.delivered)]).to.deep.equal([[], undefined]);
  });
});
