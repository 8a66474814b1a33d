import { expect } from 'chai';
import { Membership } from '../../../src/shards/membership.ts';
import { FakeControlStore } from '../../fakes/fake-control-store.ts';
import type { Fate } from '../../fakes/fake-faults.ts';
import { ARN, LeaseWorld, NEVER, TIMING } from '../../fakes/lease-world.ts';

describe('membership', () => {
  let world: LeaseWorld;
  let control: FakeControlStore;
  let fate: (operation: string) => Fate;
  let stops: AbortController[];

  beforeEach(() => {
    world = new LeaseWorld();
    fate = () => 'pass';
    control = new FakeControlStore({ fate: operation => fate(operation), clock: world.clock });
    stops = [];
  });

  afterEach(() => {
    for (const stop of stops) stop.abort();
  });

  function member(worker: string, serves: readonly string[] = [ARN]) {
    const stop = new AbortController();
    stops.push(stop);
    const self = { serves, rung: 0, stop: () => stop.abort() };
    const membership = new Membership({
      ...world,
      control,
      worker,
      weight: 1,
      timing: TIMING,
      serves: () => self.serves,
      unable: () => [],
      rung: () => {
        self.rung += 1;
      },
    });
    void membership.run(stop.signal);
    return Object.assign(self, { membership });
  }

  async function seenBy({ membership }: ReturnType<typeof member>): Promise<readonly string[]> {
    await membership.look(NEVER);
    return membership.workers.map(({ id }) => id);
  }

  it('who comes rings the others, who hear it within a poll', async () => {
    const a = member('a');
    await world.clock.advance(1_000);
    const rung = a.rung;
    member('b');
    await world.clock.advance(300);
    expect([a.rung, await seenBy(a)]).to.deep.equal([rung + 1, ['a', 'b']]);
  });

  it('a worker that stands still is alive for a lease’s duration, and dead then', async () => {
    const [a, b] = [member('a'), member('b')];
    for (let beat = 0; beat < 3; beat++) {
      await world.clock.advance(TIMING.renewMs);
      await seenBy(a);
    }
    b.stop();
    await seenBy(a);
    await world.clock.advance(TIMING.durationMs - TIMING.renewMs - 1);
    expect(await seenBy(a)).to.deep.equal(['a', 'b']);
    const death = a.membership.nextDeath ?? 0;
    await world.clock.advance(death - world.clock.elapsed());
    expect([await seenBy(a), a.membership.nextDeath]).to.deep.equal([['a'], undefined]);
  });

  it('one that was never seen to move counts for a beat and a half only', async () => {
    await control.beat({ worker: 'dead', weight: 1, draining: false, serves: [ARN], unable: [] }, 0, NEVER);
    const a = member('a');
    await world.clock.advance(TIMING.renewMs);
    expect(await seenBy(a)).to.deep.equal(['a', 'dead']);
    await world.clock.advance(TIMING.renewMs);
    expect(await seenBy(a)).to.deep.equal(['a']);
  });

  it('says what has changed within a poll', async () => {
    const a = member('a', []);
    await world.clock.advance(1_000);
    a.serves = [ARN];
    await world.clock.advance(250);
    expect(control.memberRows.get('a')).to.deep.include({ serves: [ARN], draining: false });
    await a.membership.drain(NEVER);
    expect(control.memberRows.get('a')).to.deep.include({ serves: [], draining: true });
    await a.membership.leave(NEVER);
    expect(control.memberRows.size).to.equal(0);
  });

  it('a control table that does not answer makes nobody dead, and is said once', async () => {
    const a = member('a');
    member('b');
    await world.clock.advance(1_000);
    await seenBy(a);
    fate = () => 'lost';
    await world.clock.advance(60_000);
    expect(await seenBy(a)).to.deep.equal(['a', 'b']);
    expect(world.log.lines.filter(({ level }) => level === 'warn')).to.have.length(2);
  });

  it('many rings at once are few writes, and none is lost', async () => {
    const [a, b] = [member('a'), member('b')];
    await world.clock.advance(1_000);
    const [bells, rung] = [control.memberRows.get('b')?.bell ?? 0, b.rung];
    for (let n = 0; n < 100; n++) a.membership.ring('b');
    await world.clock.advance(300);
    expect([control.memberRows.get('b')?.bell, b.rung]).to.deep.equal([bells + 2, rung + 1]);
  });
});
