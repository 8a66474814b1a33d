import { expect } from 'chai';
import { HeldLease, instant } from '../../../src/shards/held-lease.ts';
import { Renewals } from '../../../src/shards/renewals.ts';
import { LeaseWorld, TIMING } from '../../fakes/lease-world.ts';

const WRITE_MS = 20;
const BEAT_MS = 100;

describe('renewals', () => {
  it('eight thousand leases are renewed in time by writes that take as long as over a network, a hundred at once', async () => {
    const world = new LeaseWorld();
    const { clock } = world;
    const held: HeldLease[] = [];
    for (let n = 0; n < 8_000; n++) held.push(new HeldLease(await world.row(`shard-${n}`), instant(clock), { ...world, timing: TIMING }));
    let [open, most] = [0, 0];
    world.fate = () => {
      most = Math.max(most, ++open);
      clock.after(WRITE_MS, () => open--);
      return { delayMs: WRITE_MS };
    };
    const renewals = new Renewals(world.log);
    let oldest = 0;
    for (let at = 0; at < 12_000; at += BEAT_MS) {
      renewals.begin(held.filter(lease => lease.check() && lease.isDue));
      await clock.advance(BEAT_MS);
      oldest = Math.max(oldest, ...held.map(({ ageMs }) => ageMs));
    }
    expect(oldest).to.be.within(TIMING.renewMs, TIMING.renewMs + 2_000);
    expect(most).to.equal(100);
  });

  it('one that cannot be renewed is said, and holds up no other', async () => {
    const world = new LeaseWorld();
    const parts = { ...world, timing: TIMING };
    const [bad, good] = [
      new HeldLease(await world.row('bad'), instant(world.clock), parts),
      new HeldLease(await world.row('good'), instant(world.clock), parts),
    ];
    bad.renew = () => Promise.reject(new Error('a mistake'));
    await world.clock.advance(TIMING.renewMs);
    new Renewals(world.log).begin([bad, good]);
    await world.clock.advance(10);
    expect([bad.row.counter, good.row.counter]).to.deep.equal([0, 1]);
    expect(world.log.lines.map(({ message }) => message)).to.deep.equal(['a lease could not be renewed']);
  });
});
