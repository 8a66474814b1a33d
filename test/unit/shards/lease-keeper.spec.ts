import { expect } from 'chai';
import type { LeaseKey, LeaseRow } from '../../../src/ports/lease-store.ts';
import { partsOfLeaseKey } from '../../../src/ports/lease-store.ts';
import type { HeldLease } from '../../../src/shards/held-lease.ts';
import { LeaseKeeper } from '../../../src/shards/lease-keeper.ts';
import { alone, LeaseWorld, type OwnClock, ownClock, TIMING } from '../../fakes/lease-world.ts';

/** A worker that only holds leases. */
interface Worker {
  readonly keeper: LeaseKeeper;
  readonly clock: OwnClock;
  readonly events: string[];
  runnable: (row: LeaseRow) => boolean;
  /** Kill -9: nothing of it runs any more. */
  kill(): void;
  /** No new leases; what is held goes on. */
  stop(): void;
}

describe('lease keeper', () => {
  let world: LeaseWorld;
  let workers: Worker[];

  beforeEach(() => {
    world = new LeaseWorld();
    workers = [];
  });

  afterEach(() => {
    for (const worker of workers) worker.kill();
  });

  function worker(name: string): Worker {
    const clock = ownClock(world.clock);
    const stopped = new AbortController();
    let dead = false;
    const events: string[] = [];
    const shard = (lease: HeldLease) => partsOfLeaseKey(lease.key).shardId;
    const note = (what: string, lease: HeldLease) => {
      if (!dead) events.push(`${what} ${shard(lease)}`);
    };
    const keeper = new LeaseKeeper({
      ...world,
      store: world.store,
      clock,
      worker: name,
      timing: TIMING,
      crew: alone(name),
      survey: rows => new Set(rows.filter(self.runnable).map(row => row.key)),
      taken: (lease, reason) => note(`${reason}`, lease),
      unwanted: lease => note('unwanted', lease),
      stuck: row => void events.push(`stuck ${partsOfLeaseKey(row.key).shardId}`),
      overdue: key => void events.push(`overdue ${partsOfLeaseKey(key).shardId}`),
      handOver: (lease, target) => note(`to ${target}`, lease),
      lost: (lease, reason) => note(`lost ${reason}`, lease),
    });
    const self: Worker = {
      keeper,
      clock,
      events,
      runnable: () => true,
      kill: () => {
        dead = true;
        stopped.abort();
        keeper.close();
      },
      stop: () => stopped.abort(),
    };
    workers.push(self);
    void keeper.run(stopped.signal);
    return self;
  }

  const owner = (shardId: string) => world.standing(shardId).owner;
  const lease = (of: Worker, shardId: string): HeldLease => {
    const found = [...of.keeper.held.values()].find(one => partsOfLeaseKey(one.key).shardId === shardId);
    if (found === undefined) throw new Error(`does not hold ${shardId}`);
    return found;
  };

  it('two-workers-one-row: exactly one wins', async () => {
    await world.row('s1');
    const [a, b] = [worker('a'), worker('b')];
    await world.clock.advance(5_000);
    expect([...a.events, ...b.events]).to.deep.equal(['free s1']);
    expect(a.keeper.held.size + b.keeper.held.size).to.equal(1);
  });

  it('keeps its leases by renewing them, and a save counts as a renewal', async () => {
    await world.row('s1');
    await world.row('s2');
    const a = worker('a');
    await world.clock.advance(1_000);
    const writes = world.store.writes;
    for (let second = 0; second < 60; second++) {
      await lease(a, 's1').save(() => ({}));
      await world.clock.advance(1_000);
    }
    expect(a.events).to.deep.equal(['free s1', 'free s2']);
    // 60 saves of the one, a renewal each 3 s of the other, none beside a save.
    expect(world.store.writes - writes).to.be.within(60 + 18, 60 + 21);
  });

  it('kill-9-owner: taken over when a whole duration has passed, and no later than two intervals after it', async () => {
    await world.row('s1');
    const a = worker('a');
    await world.clock.advance(100);
    const b = worker('b');
    await world.clock.advance(8_000);
    expect(owner('s1')).to.equal('a');
    a.kill();
    const from = world.clock.elapsed();
    await world.clock.runUntil(() => b.events.length > 0);
    expect(b.events).to.deep.equal(['expired s1']);
    // The last renewal may be an interval old when the owner dies, and may have been seen an interval later.
    expect(world.clock.elapsed() - from).to.be.within(TIMING.durationMs - TIMING.renewMs, TIMING.durationMs + 2 * TIMING.renewMs);
  });

  it('a worker that starts after a crash waits a whole duration from its first look', async () => {
    await world.row('s1');
    const a = worker('a');
    await world.clock.advance(100);
    a.kill();
    await world.clock.advance(60_000);
    const b = worker('b');
    const from = world.clock.elapsed();
    await world.clock.runUntil(() => b.events.length > 0);
    expect(world.clock.elapsed() - from).to.be.within(TIMING.durationMs, TIMING.durationMs + 100);
  });

  it('frozen-owner-30s: it hears of its loss before it can do anything, and the successor goes on', async () => {
    await world.row('s1');
    const a = worker('a');
    await world.clock.advance(100);
    const held = lease(a, 's1');
    a.clock.freeze(30_000);
    expect(await held.save(() => ({ checkpoint: '9' }))).to.equal('lost');
    expect(a.events).to.deep.equal(['free s1', 'lost expired s1']);
    expect(world.standing('s1').checkpoint).to.equal('TRIM_HORIZON');
  });

  it('event-loop-blocked-at-start: of no interest while nothing is held', async () => {
    const a = worker('a');
    a.clock.freeze(8_000);
    await world.clock.advance(200);
    expect(a.events).to.deep.equal([]);
    expect(world.log.lines.filter(line => line.message.includes('blocked'))).to.have.length(0);
  });

  it('event-loop-blocked-8s: said once, and the lease is looked at before anything else', async () => {
    await world.row('s1');
    const a = worker('a');
    await world.clock.advance(1_000);
    a.clock.freeze(8_000);
    await world.clock.advance(200);
    expect(world.log.lines.filter(line => line.message.includes('blocked'))).to.have.length(1);
    expect([a.events, owner('s1')]).to.deep.equal([['free s1'], 'a']);
    a.clock.freeze(9_600);
    await world.clock.advance(200);
    expect(a.events[1]).to.equal('lost expired s1');
  });

  it('wall-clock-jump-forward-1h: at most fenced and taken again, never two owners', async () => {
    await world.row('s1');
    const [a, b] = [worker('a'), worker('b')];
    await world.clock.advance(5_000);
    const [first, second] = a.keeper.held.size === 1 ? [a, b] : [b, a];
    first.clock.jumpWall(3_600_000);
    await world.clock.advance(200);
    expect(first.events).to.include('lost expired s1');
    await world.clock.advance(30_000);
    expect(first.keeper.held.size + second.keeper.held.size).to.equal(1);
  });

  it('partition-from-lease-table: the right ends by itself, and is taken again afterwards', async () => {
    await world.row('s1');
    const a = worker('a');
    await world.clock.advance(1_000);
    world.fate = () => 'lost';
    const from = world.clock.elapsed();
    await world.clock.runUntil(() => a.events.length === 2);
    expect(a.events[1]).to.equal('lost expired s1');
    expect(world.clock.elapsed() - from).to.be.below(TIMING.durationMs - 400);
    expect(a.keeper.trouble).to.equal('no answer');
    await world.clock.advance(60_000);
    const said = world.log.lines.filter(line => line.level === 'error');
    expect(said).to.have.length(1);
    world.fate = () => 'pass';
    await world.clock.advance(3_000);
    expect([a.events[2], a.keeper.trouble]).to.deep.equal(['own s1', undefined]);
  });

  it('adopts a take whose answer was lost', async () => {
    await world.row('s1');
    world.fate = operation => (operation === 'write' ? 'applied-but-lost' : 'pass');
    const a = worker('a');
    await world.clock.advance(10);
    expect(a.events).to.deep.equal(['free s1']);
    expect(lease(a, 's1').row.counter).to.equal(1);
  });

  it('takes again what names it when even the look was lost', async () => {
    await world.row('s1');
    const fates = ['applied-but-lost', 'lost'] as const;
    let call = 0;
    world.fate = operation => (operation === 'write' || operation === 'read' ? (fates[call++] ?? 'pass') : 'pass');
    const a = worker('a');
    await world.clock.advance(4_000);
    expect(a.events).to.deep.equal(['own s1']);
    expect(world.standing('s1').counter).to.be.at.least(2);
  });

  it('says which leases are not worth it any more until they are released', async () => {
    await world.row('s1');
    const a = worker('a');
    await world.clock.advance(100);
    a.runnable = () => false;
    await world.clock.advance(7_000);
    expect(a.events).to.deep.equal(['free s1', 'unwanted s1', 'unwanted s1']);
    await lease(a, 's1').release();
    await world.clock.advance(7_000);
    expect(a.events).to.have.length(3);
    expect(owner('s1')).to.equal(undefined);
  });

  it('does not take back what has not settled', async () => {
    const row = await world.row('s1');
    const a = worker('a');
    await world.clock.advance(100);
    let settle = () => {};
    a.keeper.holdBack(
      row.key,
      new Promise<void>(resolve => {
        settle = resolve;
      }),
    );
    await world.store.write(world.standing('s1'), { owner: null }, new AbortController().signal);
    await world.clock.advance(19_000);
    expect(a.events).to.deep.equal(['free s1', 'lost refused s1']);
    settle();
    await world.clock.advance(10);
    expect(a.events[2]).to.equal('free s1');
  });

  it('says that what it held back has not settled for two lease durations', async () => {
    const a = worker('a');
    a.keeper.holdBack('s:s1', new Promise(() => {}));
    a.keeper.holdBack('s:s2', world.clock.sleep(19_000, new AbortController().signal));
    await world.clock.advance(19_900);
    expect(a.events).to.deep.equal([]);
    await world.clock.advance(60_000);
    expect([a.events, [...a.keeper.unsettled]]).to.deep.equal([['overdue s1'], ['s:s1']]);
  });

  it('takes no more once it stops, and renews what it holds until that is released', async () => {
    await world.row('s1');
    const a = worker('a');
    await world.clock.advance(100);
    a.stop();
    await world.row('s2');
    await world.clock.advance(30_000);
    expect([owner('s1'), owner('s2'), a.events]).to.deep.equal(['a', undefined, ['free s1']]);
    expect(await lease(a, 's1').release()).to.equal('released');
  });

  it('finds a row at once when it is nudged', async () => {
    const a = worker('a');
    await world.clock.advance(100);
    await world.row('s1');
    a.keeper.nudge();
    await world.clock.advance(1);
    expect(a.events).to.deep.equal(['free s1']);
  });

  it('backpressure-does-not-stop-renewal: a thousand leases are renewed by one worker', async () => {
    const keys: LeaseKey[] = [];
    for (let n = 0; n < 1_000; n++) keys.push((await world.row(`s${n}`)).key);
    const a = worker('a');
    await world.clock.advance(60_000);
    expect([a.keeper.held.size, a.events.filter(event => event.startsWith('lost'))]).to.deep.equal([1_000, []]);
  });

  it('a table of many rows is scanned seldomer, and a dead owner is found out all the same', async () => {
    for (let n = 0; n < 15_000; n++) await world.row(`s${n}`);
    const wanting = (name: string) => Object.assign(worker(name), { runnable: (row: LeaseRow) => /:s\d$/.test(row.key) });
    const a = wanting('a');
    await world.clock.advance(10_000);
    let scans = 0;
    world.fate = operation => {
      scans += Number(operation === 'scan');
      return 'pass';
    };
    await world.clock.advance(90_000);
    expect([a.keeper.held.size, scans]).to.deep.equal([10, 10]);
    a.kill();
    const c = wanting('c');
    await world.clock.advance(TIMING.durationMs + 3 * TIMING.renewMs);
    expect(c.keeper.held.size).to.equal(10);
  });
});
