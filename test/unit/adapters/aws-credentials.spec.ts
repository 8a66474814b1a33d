import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { CredentialKeeper, type Credentials } from '../../../src/adapters/aws-credentials.ts';
import { refusalFault } from '../../../src/adapters/aws-faults.ts';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import { keptLog } from '../../fakes/lease-world.ts';
import { seededRandom, virtualClock } from '../../fakes/virtual-clock.ts';

const signal = new AbortController().signal;

/** A keeper over a source that gives numbered credentials, until it is told to fail or to hang. */
function kept({ lifeMs }: { lifeMs?: number } = {}) {
  const clock = virtualClock();
  const log = keptLog();
  const world = { fetches: 0, mode: 'works' as 'works' | 'fails' | 'hangs' };
  const source = async (): Promise<Credentials> => {
    world.fetches += 1;
    if (world.mode === 'fails') throw new Error('connect ECONNREFUSED 169.254.170.2:80');
    if (world.mode === 'hangs') return new Promise(() => {});
    const expiresAt = lifeMs === undefined ? undefined : clock.now() + lifeMs;
    return { accessKeyId: `key-${world.fetches}`, secretAccessKey: 's', expiresAt };
  };
  const keeper = new CredentialKeeper(source, { clock, random: seededRandom(1), log });
  return { keeper, clock, world, log };
}

async function thrown(promise: unknown): Promise<ServiceFault> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ServiceFault) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const fault = (name: string) => refusalFault({ name, message: 'no', status: 400, answer: {}, servedAt: undefined });

describe('credential keeper', () => {
  it('fetches once for all who ask at once, and then gives without waiting', async () => {
    const { keeper, world } = kept();
    const all = await Promise.all([keeper.get(signal), keeper.get(signal), keeper.get(signal)]);
    expect(all.map(one => one.accessKeyId)).to.deep.equal(['key-1', 'key-1', 'key-1']);
    expect(keeper.get(signal)).to.not.be.instanceOf(Promise);
    expect(world.fetches).to.equal(1);
  });

  it('renews credentials that live 90 seconds in time, without a request that waits for it', async () => {
    const { keeper, clock, world } = kept({ lifeMs: 90_000 });
    await keeper.get(signal);
    for (let second = 1; second <= 600; second++) {
      await clock.advance(1_000);
      const credentials = keeper.get(signal);
      if (credentials instanceof Promise) throw new Error(`a request waited in second ${second}`);
      expect(credentials.expiresAt).to.be.greaterThan(clock.now());
    }
    expect(world.fetches).to.be.within(9, 11);
  });

  it('goes on with the old ones while their source is away for 30 s, without hammering it', async () => {
    const { keeper, clock, world } = kept({ lifeMs: 90_000 });
    await keeper.get(signal);
    await clock.advance(58_000);
    world.mode = 'fails';
    for (let tenth = 0; tenth < 300; tenth++) {
      await clock.advance(100);
      const { accessKeyId } = await keeper.get(signal);
      expect(accessKeyId).to.equal('key-1');
    }
    expect(world.fetches).to.be.within(5, 20);
    world.mode = 'works';
    await clock.advance(5_000);
    await keeper.get(signal);
    await clock.advance(1);
    expect((await keeper.get(signal)).accessKeyId).to.not.equal('key-1');
  });

  it('says class network when none can be had, and heals by itself', async () => {
    const { keeper, clock, world, log } = kept({ lifeMs: 90_000 });
    world.mode = 'fails';
    for (let second = 0; second < 30; second++) {
      const why = await thrown(keeper.get(signal));
      expect(why.class).to.equal('network');
      expect(why.message).to.match(/ECONNREFUSED.*AWS_ACCESS_KEY_ID/);
      await clock.advance(1_000);
    }
    expect(log.lines.length).to.be.within(1, 5);
    world.mode = 'works';
    await clock.advance(5_000);
    expect(await keeper.get(signal)).to.have.property('secretAccessKey', 's');
  });

  it('gives up on a source that hangs, and asks it again', async () => {
    const { keeper, clock, world } = kept();
    world.mode = 'hangs';
    const asked = thrown(keeper.get(signal));
    await clock.runUntil(asked);
    expect(await asked).to.include({ class: 'network', name: 'CredentialsUnavailable' });
    world.mode = 'works';
    await clock.advance(5_000);
    expect((await keeper.get(signal)).accessKeyId).to.equal('key-2');
  });

  it('lets a caller go at once when its signal aborts, and leaves no listener', async () => {
    const { keeper, world } = kept();
    world.mode = 'hangs';
    const stop = new AbortController();
    const asked = thrown(keeper.get(stop.signal));
    stop.abort();
    expect(await asked).to.have.property('class', 'aborted');
    expect(getEventListeners(stop.signal, 'abort')).to.be.empty;
    keeper.close();
  });

  it('drops credentials that were refused as expired, by each of their three names', async () => {
    for (const name of ['ExpiredTokenException', 'ExpiredToken', 'TokenRefreshRequired']) {
      const { keeper, clock } = kept();
      const first = await keeper.get(signal);
      await clock.advance(2_000);
      expect(keeper.judged(fault(name), first)).to.have.property('class', 'expired');
      expect(await keeper.get(signal)).to.have.property('accessKeyId', 'key-2');
    }
  });

  it('does not fetch at once again what was just fetched', async () => {
    const { keeper, world } = kept();
    const first = await keeper.get(signal);
    for (let i = 0; i < 100; i++) keeper.judged(fault('ExpiredToken'), first);
    expect(await keeper.get(signal)).to.equal(first);
    expect(world.fetches).to.equal(1);
  });

  it('drops only the ones that were refused, not newer ones', async () => {
    const { keeper, clock } = kept();
    const first = await keeper.get(signal);
    await clock.advance(2_000);
    keeper.judged(fault('ExpiredToken'), first);
    const second = await keeper.get(signal);
    await clock.advance(2_000);
    keeper.judged(fault('ExpiredToken'), first);
    expect(await keeper.get(signal)).to.equal(second);
  });

  it('takes an unknown key for a rotation shortly after a success, else for a missing permission', async () => {
    const { keeper, clock } = kept();
    const credentials = await keeper.get(signal);
    expect(keeper.judged(fault('UnrecognizedClientException'), credentials)).to.have.property('class', 'denied');
    keeper.worked();
    await clock.advance(60_000);
    expect(keeper.judged(fault('UnrecognizedClientException'), credentials)).to.have.property('class', 'expired');
    await clock.advance(600_000);
    expect(keeper.judged(fault('UnrecognizedClientException'), credentials)).to.have.property('class', 'denied');
  });

  it('uses what it has just fetched although our clock says that it has ended', async () => {
    const { keeper, clock, world } = kept({ lifeMs: 60_000 });
    await keeper.get(signal);
    clock.jumpWall(3_600_000);
    expect(keeper.get(signal)).to.not.be.instanceOf(Promise);
    await clock.advance(11_000);
    await keeper.get(signal);
    expect(world.fetches).to.be.greaterThan(1);
  });
});
