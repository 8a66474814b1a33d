import { expect } from 'chai';
import { partsOfLeaseKey } from '../../../src/ports/lease-store.ts';
import { listerOf } from '../../../src/shards/lease-targets.ts';
import { DaemonWorld, missing, type Worker } from '../../fakes/daemon-world.ts';
import type { StreamRules } from '../../fakes/fake-stream-rules.ts';
import { TIMING } from '../../fakes/lease-world.ts';
import { outOfOrder, type ScriptedTarget } from '../../fakes/pipeline-world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Several daemons on one stream: who lists it. */
describe('discovery by several workers', function () {
  this.timeout(60_000);
  let world: DaemonWorld;
  let a: ScriptedTarget;

  afterEach(() => world.stopAll());

  function started(count: number, { roots = 6, ...rules }: Partial<StreamRules> & { roots?: number } = {}): Worker[] {
    world = new DaemonWorld(rules, { roots });
    a = world.target('a');
    return Array.from({ length: count }, () => world.start({ source: { idleMs: 5_000 } }));
  }

  const rows = () => [...world.leases.rows.values()];
  const idOf = (worker: Worker) => `worker-${world.workers.indexOf(worker) + 1}`;
  const lister = () =>
    listerOf(
      world.workers
        .filter(({ process }) => process.isAlive)
        .map(worker => ({
          id: idOf(worker),
          weight: 1,
          draining: false,
          serves: new Set([world.now.arn]),
          unable: new Set<string>(),
        })),
      world.now.arn,
    );

  async function listingsIn(ms: number): Promise<number> {
    const before = world.streams.calls.describe;
    await world.clock.advance(ms);
    return world.streams.calls.describe - before;
  }

  it('one worker lists for all, the others now and then', async () => {
    started(5);
    await world.clock.advance(2 * MINUTE);
    // Once a minute by the one, and twice by each of four others.
    expect(await listingsIn(20 * MINUTE)).to.be.within(17 + 4, 25 + 8);
  });

  it('leader-dies: another one lists within two intervals, and no child waits for it', async () => {
    const workers = started(3);
    await world.clock.advance(2 * MINUTE);
    const dead = workers.find(worker => idOf(worker) === lister());
    if (dead === undefined) throw new Error('nobody lists');
    const tokens = world.write(60);
    await world.clock.advance(1_000);
    await world.kill(dead);
    const orphan = world.now.open.find(({ id }) => rows().some(row => row.owner === idOf(dead) && partsOfLeaseKey(row.key).shardId === id));
    const alive = world.now.open.find(({ id }) => rows().some(row => row.owner !== idOf(dead) && partsOfLeaseKey(row.key).shardId === id));
    if (orphan === undefined || alive === undefined) throw new Error('no shard');
    for (const { id } of [orphan, alive]) world.now.roll(id);
    tokens.push(...world.write(60));
    // The children of those that live need no lister; those of the dead one wait for its leases to expire.
    await world.clock.advance(2_000);
    expect(rows().some(({ parents, owner }) => parents.includes(alive.id) && owner !== undefined)).to.equal(true);
    await world.clock.advance(TIMING.durationMs + 2 * TIMING.renewMs);
    expect([missing(a.delivered, tokens), outOfOrder(a.delivered)]).to.deep.equal([[], undefined]);
    // What only a full listing finds: a row that somebody deleted.
    const lost = rows().find(({ parents }) => parents.includes(orphan.id));
    if (lost === undefined) throw new Error('no child');
    world.leases.rows.delete(lost.key);
    await world.clock.advance(2 * MINUTE);
    expect(world.leases.rows.has(lost.key)).to.equal(true);
    expect(await listingsIn(10 * MINUTE)).to.be.within(8, 16);
  });

  it('two-leaders: two that do not see each other both list; no row comes twice, and none that is needed goes', async () => {
    const workers = started(2, { roots: 8, retentionMs: 4 * MINUTE });
    await world.clock.advance(2 * MINUTE);
    // Beats of both are lost: each believes to be alone.
    world.controlFate = operation => (operation === 'beat' ? 'lost' : 'pass');
    await world.clock.advance(MINUTE);
    expect(await listingsIn(5 * MINUTE)).to.be.within(8, 13);
    const tokens: string[] = [];
    for (let roll = 0; roll < 6; roll++) {
      for (const { id } of world.now.open.slice(0, 3)) world.now.roll(id);
      tokens.push(...world.write(40));
      // A row of an ended shard that is old enough goes, by whichever of them is first; all others stay.
      for (const [key, row] of world.leases.rows)
        if (row.endedAt !== undefined) world.leases.rows.set(key, { ...row, endedAt: row.endedAt - 27 * HOUR });
      await world.clock.advance(2 * MINUTE);
    }
    expect([missing(a.delivered, tokens), outOfOrder(a.delivered), a.delivered.length]).to.deep.equal([[], undefined, tokens.length]);
    const shards = rows().map(({ key }) => partsOfLeaseKey(key).shardId);
    expect(new Set(shards).size).to.equal(shards.length);
    expect(shards.length).to.be.below(8 + 6 * 3);
    expect(shards).to.include.members(world.now.open.map(({ id }) => id));
    expect([world.trespasses, workers.map(({ end }) => end)]).to.deep.equal([[], [undefined, undefined]]);
    expect(world.control.gapRows.size).to.equal(0);
  });
});
