import { expect } from 'chai';
import type { LeaseRow } from '../../../src/ports/lease-store.ts';
import { HeldLease, instant } from '../../../src/shards/held-lease.ts';
import type { Fate } from '../../fakes/fake-faults.ts';
import { LeaseWorld, NEVER, type OwnClock, ownClock, TIMING } from '../../fakes/lease-world.ts';

describe('held lease', () => {
  let world: LeaseWorld;
  let clock: OwnClock;
  let lost: string[];

  beforeEach(() => {
    world = new LeaseWorld();
    clock = ownClock(world.clock);
    lost = [];
  });

  async function held(): Promise<HeldLease> {
    const row = await world.row('shard-1');
    const sentAt = instant(clock);
    const answer = await world.store.write(row, { owner: 'me', nonce: 'mine' }, NEVER);
    if (answer.is !== 'written') throw new Error('not taken');
    const lease = new HeldLease(answer.row, sentAt, { ...world, clock, store: world.store, timing: TIMING });
    lease.onLost = reason => lost.push(reason);
    return lease;
  }

  /** The next writes meet these fates. */
  function fates(...list: Fate[]): void {
    world.fate = operation => (operation === 'write' ? (list.shift() ?? 'pass') : 'pass');
  }

  async function foreign(change: Parameters<typeof world.store.write>[1]): Promise<LeaseRow> {
    const answer = await world.store.write(world.standing('shard-1'), change, NEVER);
    if (answer.is !== 'written') throw new Error('refused');
    return answer.row;
  }

  async function outcome<T>(work: Promise<T>): Promise<T> {
    await world.clock.runUntil(work);
    return work;
  }

  it('renews: the counter goes up, the right is counted from before the write was sent', async () => {
    const lease = await held();
    await world.clock.advance(3_000);
    world.fate = () => ({ delayMs: 700 });
    expect(lease.isDue).to.equal(true);
    expect(await outcome(lease.renew())).to.equal('saved');
    expect(lease.row.counter).to.equal(2);
    expect(lease.ageMs).to.equal(700);
  });

  it('renew-applied-but-timed-out: the read-back adopts the counter and the lease is kept', async () => {
    const lease = await held();
    fates('applied-but-lost');
    expect(await outcome(lease.renew())).to.equal('saved');
    expect(lease.row.counter).to.equal(2);
    expect(await outcome(lease.renew())).to.equal('saved');
    expect([world.standing('shard-1').counter, lost]).to.deep.equal([3, []]);
  });

  it('sends the same bytes again, not what has come meanwhile', async () => {
    const lease = await held();
    fates('lost', 'applied-but-lost', 'throttle');
    let asked = 0;
    const save = lease.save(() => {
      asked += 1;
      return { positions: new Map([['p/s', { at: 'after', token: String(asked), changedAt: 0 }]]), checkpoint: String(asked) };
    });
    expect(await outcome(save)).to.equal('saved');
    expect([asked, world.standing('shard-1').checkpoint, lease.row.counter]).to.deep.equal([1, '1', 2]);
  });

  it('checkpoint-and-renew-race: serialised, no self-inflicted failed condition in 10,000 rounds', async () => {
    const lease = await held();
    for (let round = 0; round < 10_000; round++) {
      const answers = await Promise.all([lease.renew(), lease.save(() => ({ checkpoint: String(round) }))]);
      if (answers.some(answer => answer !== 'saved')) throw new Error(`round ${round} failed`);
    }
    expect([lease.row.counter, lease.state]).to.deep.equal([20_001, 'held']);
  });

  it('renew-throttled-whole-interval: kept below the limit', async () => {
    const lease = await held();
    await world.clock.advance(3_000);
    world.fate = operation => (operation === 'write' ? 'throttle' : 'pass');
    const renewal = lease.renew();
    await world.clock.advance(6_000);
    expect(lease.state).to.equal('held');
    world.fate = () => 'pass';
    expect(await outcome(renewal)).to.equal('saved');
  });

  it('renew-throttled-whole-interval: fenced beyond the limit, and before a whole duration has passed', async () => {
    const lease = await held();
    world.fate = operation => (operation === 'write' ? 'throttle' : 'pass');
    expect(await outcome(lease.renew())).to.equal('lost');
    expect(world.clock.elapsed()).to.be.within(9_500, 9_999);
    expect([lease.state, lost]).to.deep.equal(['lost', ['expired']]);
  });

  it('is fenced at once when somebody else has the row', async () => {
    const lease = await held();
    await foreign({ owner: 'other', nonce: 'theirs' });
    expect(await outcome(lease.save(() => ({ checkpoint: '9' })))).to.equal('lost');
    expect([lost, world.standing('shard-1').checkpoint]).to.deep.equal([['refused'], 'TRIM_HORIZON']);
    expect(await lease.renew()).to.equal('lost');
    expect(await lease.release()).to.equal('lost');
    expect(lost).to.have.length(1);
  });

  it('does not take a successor for itself, though the counter is the one after ours', async () => {
    const lease = await held();
    await foreign({ owner: 'me', nonce: 'another incarnation with our name' });
    expect(await outcome(lease.renew())).to.equal('lost');
  });

  it('row-deleted-under-owner: fenced', async () => {
    const lease = await held();
    world.store.rows.clear();
    expect(await outcome(lease.renew())).to.equal('lost');
    expect(lost).to.deep.equal(['row-gone']);
  });

  it('frozen-owner-30s: on waking it knows that the right is gone, and writes nothing', async () => {
    const lease = await held();
    clock.freeze(30_000);
    const writes = world.store.writes;
    expect(lease.check()).to.equal(false);
    expect(await lease.save(() => ({ checkpoint: '9' }))).to.equal('lost');
    expect([lost, world.store.writes]).to.deep.equal([['expired'], writes]);
  });

  it('vm-suspend-monotonic-stops: the wall clock is believed too', async () => {
    const lease = await held();
    clock.jumpWall(30_000);
    expect([lease.check(), lost]).to.deep.equal([false, ['expired']]);
  });

  it('wall-clock-jump-back-1h: neither expiry nor a longer life', async () => {
    const lease = await held();
    clock.jumpWall(-3_600_000);
    await world.clock.advance(9_000);
    expect(lease.check()).to.equal(true);
    await world.clock.advance(1_000);
    expect(lease.check()).to.equal(false);
  });

  it('a wall clock that was set back does not hide a sleep that follows (seed 1932 of several workers)', async () => {
    const lease = await held();
    clock.jumpWall(-3_600_000);
    await world.clock.advance(1_000);
    expect(lease.check()).to.equal(true);
    clock.jumpWall(15_000);
    expect([lease.check(), lost]).to.deep.equal([false, ['expired']]);
  });

  it('what was slept before a renewal is not held against it, and clocks that differ by a little are no sleep', async () => {
    const lease = await held();
    clock.jumpWall(5_000);
    expect(lease.check()).to.equal(true);
    expect(await outcome(lease.renew())).to.equal('saved');
    for (let n = 0; n < 1_000; n++) {
      clock.jumpWall(n % 2 === 0 ? 20 : -20);
      lease.check();
    }
    await world.clock.advance(9_000);
    expect(lease.check()).to.equal(true);
  });

  it('a write that was frozen in mid-air is no right, though its answer says that it held', async () => {
    const lease = await held();
    world.fate = () => ({ delayMs: 5 });
    const renewal = lease.renew();
    await world.clock.advance(1);
    clock.freeze(30_000);
    lease.check();
    expect(await outcome(renewal)).to.equal('lost');
    expect(lost).to.deep.equal(['expired']);
  });

  it('gives the row away with its last positions in one write, and then writes no more', async () => {
    const lease = await held();
    const writes = world.store.writes;
    expect(await outcome(lease.release(null, () => ({ checkpoint: '42' })))).to.equal('released');
    const row = world.standing('shard-1');
    expect([row.owner, row.checkpoint, row.lastOwner, world.store.writes - writes]).to.deep.equal([undefined, '42', 'me', 1]);
    expect(await lease.save(() => ({ checkpoint: '43' }))).to.equal('lost');
    expect(lost).to.deep.equal([]);
  });

  it('releases once, also when the answer is lost', async () => {
    const lease = await held();
    fates('applied-but-lost');
    expect(await outcome(lease.release())).to.equal('released');
    expect(world.standing('shard-1').counter).to.equal(2);
  });

  it('is not due while a write waits, nor once it shall end', async () => {
    const lease = await held();
    await world.clock.advance(4_000);
    expect(lease.isDue).to.equal(true);
    const save = lease.save(() => ({}));
    expect(lease.isDue).to.equal(false);
    await outcome(save);
    await world.clock.advance(4_000);
    lease.stopRenewing();
    expect(lease.isDue).to.equal(false);
  });
});
