import { expect } from 'chai';
import type { Ms } from '../../../src/model/units.ts';
import { leaseKey, partsOfLeaseKey } from '../../../src/ports/lease-store.ts';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import { DaemonWorld, missing, type Worker } from '../../fakes/daemon-world.ts';
import { LeaseWatch } from '../../fakes/lease-watch.ts';
import { NEVER, TIMING } from '../../fakes/lease-world.ts';
import { outOfOrder, type ScriptedTarget, writesAll } from '../../fakes/pipeline-world.ts';

/** Processes that stand still, machines that sleep, event loops that are blocked, and clocks that jump: whatever happens, one worker writes at a time. */
describe('owners that stand still, and clocks that jump', () => {
  let world: DaemonWorld;
  let watch: LeaseWatch;
  let a: ScriptedTarget;
  let tokens: string[];

  beforeEach(() => {
    world = new DaemonWorld();
    watch = new LeaseWatch(world.leases);
    a = world.target('a', {}, writesAll(40));
    tokens = [];
  });

  afterEach(async () => {
    await world.stopAll();
    for (const { end } of world.workers) if (end?.error !== undefined) throw end.error;
    expect([world.trespasses, watch.lowered]).to.deep.equal([[], []]);
  });

  const load = async (ms: Ms) => void tokens.push(...(await world.load(ms, { everyMs: 100, count: 5 })));

  async function expectWhole(): Promise<void> {
    await world.clock.advance(2_000);
    expect([missing(a.delivered, tokens), outOfOrder(a.delivered)]).to.deep.equal([[], undefined]);
  }

  const owner = () => [...world.leases.rows.values()][0]?.owner;
  const said = (text: string) => world.log.lines.filter(({ message }) => message.includes(text));

  it('two-workers-one-row: of two that start at once one reads, and the other gets nothing', async () => {
    world.leaseFate = operation => (operation === 'write' ? { delayMs: 20 } : 'pass');
    const workers = [world.start(), world.start()];
    await load(5_000);
    await expectWhole();
    expect([world.moves, watch.takes.size, a.delivered.length]).to.deep.equal([['free'], 1, tokens.length]);
    expect(workers.map(worker => worker.sink('a').read).sort()).to.deep.equal([0, tokens.length]);
  });

  it('kill-9-owner: another goes on within a lease’s duration and two intervals', async () => {
    const [first] = [world.start(), world.start()];
    await load(5_000);
    const [dead, heir] = owner() === 'worker-1' ? [first, 'worker-2'] : [world.workers[1], 'worker-1'];
    if (dead === undefined) throw new Error('no worker');
    await world.kill(dead);
    const { length } = a.delivered;
    await load(TIMING.durationMs + 2 * TIMING.renewMs + 300);
    expect([owner(), a.delivered.length > length]).to.deep.equal([heir, true]);
    await expectWhole();
    // What had been finished within the last second, and what was in flight.
    expect(a.delivered.length - tokens.length).to.be.at.most(5 * 12);
  });

  /** Everything of the first worker stands still for 30 s under load, while a second one takes over. */
  async function standStill(first: Worker, stop: () => void): Promise<void> {
    await load(3_000);
    stop();
    world.start();
    await load(30_000);
    expect(owner()).to.equal('worker-2');
    const saves = watch.savesBy('worker-1').length;
    const { length } = watch.writes;
    first.process.thaw();
    await load(1_000);
    expect([watch.savesBy('worker-1').length, watch.writes.length > length]).to.deep.equal([saves, true]);
    expect(said('the lease is lost').map(({ fields }) => fields['reason'])).to.deep.equal(['expired']);
    expect(world.moves).to.deep.equal(['free', 'expired', 'expired']);
    await expectWhole();
  }

  it('frozen-owner-30s: in the midst of writes and saves; when it wakes it writes nothing, saves nothing, and says that it has lost the lease', async () => {
    world.leaseFate = operation => (operation === 'write' ? { delayMs: 30 } : 'pass');
    const first = world.start();
    await standStill(first, () => first.process.freeze());
  });

  it('vm-suspend-monotonic-stops: a machine that slept for 30 s is fenced on waking, though its monotonic clock did not move', async () => {
    const first = world.start();
    await standStill(first, () => first.process.suspend());
  });

  it('wall-clock-jump-back-1h: no lease expires, and a dead owner does not seem alive', async () => {
    const [first, second] = [world.start(), world.start()];
    await load(5_000);
    first.process.jumpWall(-3_600_000);
    second.process.jumpWall(-3_600_000);
    await load(30_000);
    expect(world.moves).to.deep.equal(['free']);
    await world.kill(owner() === 'worker-1' ? first : second);
    await load(TIMING.durationMs + 2 * TIMING.renewMs + 300);
    expect(world.moves).to.deep.equal(['free', 'expired']);
    await expectWhole();
  });

  it('wall-clock-jump-forward-1h: fenced and taken again at most, and nobody takes what is held', async () => {
    const [first, second] = [world.start(), world.start()];
    await load(5_000);
    const [holder, other] = owner() === 'worker-1' ? [first, second] : [second, first];
    other.process.jumpWall(3_600_000);
    await load(20_000);
    expect(world.moves).to.deep.equal(['free']);
    holder.process.jumpWall(3_600_000);
    await load(20_000);
    expect(world.moves.slice(0, 2)).to.deep.equal(['free', 'expired']);
    expect(world.moves.length).to.be.at.most(3);
    await expectWhole();
  });

  for (const [blockedMs, isLost] of [
    [8_000, false],
    [9_600, true],
  ] as const) {
    it(`event-loop-blocked-8s: for ${blockedMs} ms by a batch; said once, ${isLost ? 'and no write begins after the right is gone' : 'and the lease is kept'}`, async () => {
      const worker = world.start();
      await load(3_000);
      world.leaseFate = operation => (operation === 'write' ? { delayMs: 300 } : 'pass');
      const write = writesAll(40);
      const begun: string[][] = [];
      let isBlocked = false;
      a.behaviour = (batch, at) => {
        if (isBlocked) begun.push([...world.moves]);
        else worker.process.block(blockedMs);
        isBlocked = true;
        return write(batch, at);
      };
      tokens.push(...world.write(200, 50));
      await world.clock.advance(2_000);
      const moves = isLost ? ['free', 'expired', 'own'] : ['free'];
      expect([begun.length > 0, begun.filter(seen => seen.length < moves.length), world.moves]).to.deep.equal([true, [], moves]);
      expect(said('the event loop was blocked')).to.have.length(1);
      await load(1_000);
      await expectWhole();
    });
  }

  it('partition-from-lease-table: what is in flight is ended before the lease can be taken, and the successor begins after it', async () => {
    let isCut = false;
    const unreachable = async () => {
      await world.clock.sleep(1_000, NEVER);
      throw new ServiceFault('TimeoutError', 'no answer', { class: 'network' });
    };
    const cut = new Proxy(world.leases, {
      get: (store, name) => {
        const value: unknown = Reflect.get(store, name, store);
        return typeof value === 'function' ? (...args: unknown[]) => (isCut ? unreachable() : value.apply(store, args)) : value;
      },
    });
    const first = world.start({ leases: cut });
    await load(3_000);
    world.start();
    await load(1_000);
    isCut = true;
    const cutAt = world.clock.elapsed();
    let ended: Ms = 0;
    a.behaviour = (_batch, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          ended = world.clock.elapsed();
          reject(new Error('aborted'));
        });
      });
    await load(6_000);
    await world.clock.runUntil(() => world.moves.includes('expired'));
    expect([ended <= cutAt + TIMING.durationMs - 500, a.inFlight, owner()]).to.deep.equal([true, 0, 'worker-1']);
    a.behaviour = writesAll(40);
    await load(8_000);
    expect([owner(), first.daemon.notReady().length > 0]).to.deep.equal(['worker-2', true]);
    isCut = false;
    await expectWhole();
  });

  it('a write that outlives its lease: what follows its shard waits for it in that sink, though another worker has ended the shard', async () => {
    const b = world.target('b');
    world.start();
    await load(2_000);
    const told: string[] = [];
    // Deaf to its abort.
    a.behaviour = async (batch, { target, clock }) => {
      told.push('begins');
      await clock.sleep(4_500, NEVER);
      target.store(batch.records);
      told.push('lands');
      return { failed: [] };
    };
    tokens.push(...world.write(1));
    await world.clock.advance(200);
    const child = world.now.roll(world.now.open[0]?.id ?? '').id;
    const [row] = world.leases.rows.values();
    if (row === undefined) throw new Error('no row');
    const robbed = { ...row, owner: 'worker-x', counter: row.counter + 1 };
    world.leases.rows.set(row.key, robbed);
    await world.clock.runUntil(() => said('the lease is lost').length > 0);
    const { owner: _, ...free } = robbed;
    const positions = new Map([...row.positions.keys()].map(key => [key, { at: 'end' }] as const));
    const ended = { checkpoint: 'SHARD_END', children: [child], endedAt: world.clock.now(), positions };
    world.leases.rows.set(row.key, { ...free, ...ended, counter: free.counter + 1 });
    const { shardId } = partsOfLeaseKey(row.key);
    await world.leases.create({ key: leaseKey(world.now.arn, child), parents: [shardId], checkpoint: 'TRIM_HORIZON' }, NEVER);
    a.behaviour = async (batch, { target }) => {
      told.push('follows');
      target.store(batch.records);
      return { failed: [] };
    };
    const after = world.write(20);
    await world.clock.runUntil(() => missing(b.delivered, after).length === 0);
    expect(told).to.deep.equal(['begins']);
    await world.clock.advance(5_000);
    expect([told[1], told[2], missing(a.delivered, after)]).to.deep.equal(['lands', 'follows', []]);
  });
});
