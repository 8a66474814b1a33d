/** The parts of the replica connector that stand for themselves. */
import { expect } from 'chai';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { virtualClock } from '../../test/fakes/virtual-clock.ts';
import { boundedTable, mayStillLand } from './bounded-table.ts';
import { LatePuts } from './late-puts.ts';
import { outcomeOf } from './outcomes.ts';
import { WrittenImages } from './written-images.ts';

const MINUTE = 60_000;
const key = { TableName: 'copy', Key: { pk: { S: 'a' } } };
const turn = () => new Promise(resolve => setImmediate(resolve));

describe('bounded table', () => {
  function held() {
    const open: { end: () => void; signal: AbortSignal }[] = [];
    const api: TableApi = {
      call: (_name, _request, signal) => new Promise(resolve => open.push({ end: () => resolve({} as never), signal })),
    };
    return { open, bounded: boundedTable(api, 2) };
  }

  it('has so many requests in flight, the others in order', async () => {
    const { open, bounded } = held();
    const { signal } = new AbortController();
    const done: number[] = [];
    const all = [0, 1, 2, 3].map(i => bounded.call('GetItem', key, signal).then(() => done.push(i)));
    await turn();
    expect(open).to.have.length(2);
    open[0]?.end();
    await turn();
    expect([open.length, done]).to.deep.equal([3, [0]]);
    for (let i = 0; i < 4; i++) {
      open[i]?.end();
      await turn();
    }
    await Promise.all(all);
    expect(done).to.deep.equal([0, 1, 2, 3]);
  });

  it('drops what waits under a signal that aborts, at once and unsent; others go on', async () => {
    const { open, bounded } = held();
    const [gone, stays] = [new AbortController(), new AbortController()];
    const inFlight = [0, 1].map(() => bounded.call('GetItem', key, stays.signal));
    const waiting = bounded.call('GetItem', key, gone.signal).catch((error: unknown) => error);
    const next = bounded.call('GetItem', key, stays.signal);
    await turn();
    gone.abort();
    const error = await waiting;
    expect([error instanceof ServiceFault && error.class, mayStillLand(error)]).to.deep.equal(['aborted', false]);
    for (const each of open) each.end();
    await Promise.all(inFlight);
    await turn();
    open[2]?.end();
    await next;
    expect(open).to.have.length(3);
    const late = await bounded.call('GetItem', key, gone.signal).catch((reason: unknown) => reason);
    expect(mayStillLand(late)).to.equal(false);
  });

  it('tells what may still land from what cannot', () => {
    const of = (kind: ServiceFault['class']) => mayStillLand(new ServiceFault('X', '', { class: kind }));
    expect((['network', 'server', 'aborted'] as const).map(of)).to.deep.equal([true, true, true]);
    expect((['throttled', 'expired', 'denied', 'missing', 'condition', 'invalid'] as const).map(of)).to.not.include(true);
    expect(mayStillLand(new Error('?'))).to.equal(true);
  });
});

describe('late puts', () => {
  it('may come for a quarter of an hour after one was given up', async () => {
    const clock = virtualClock();
    const late = new LatePuts(clock);
    const may = (place: string) => late.mayCome(place, 'never written', 0);
    late.gaveUp('a');
    expect([may('a'), may('b')]).to.deep.equal([true, false]);
    await clock.advance(15 * MINUTE - 1);
    expect(may('a')).to.equal(true);
    await clock.advance(1);
    expect(may('a')).to.equal(false);
  });

  it('may come for a quarter of an hour after a shard came to this process, and after it was taken over', async () => {
    const clock = virtualClock();
    const late = new LatePuts(clock);
    expect([late.began('shard'), late.began('shard')]).to.deep.equal([true, false]);
    expect(late.mayCome('a', 'shard', 0)).to.equal(true);
    await clock.advance(15 * MINUTE);
    expect(late.mayCome('a', 'shard', 0)).to.equal(false);
    expect(late.mayCome('a', 'shard', clock.now() - MINUTE), 'lost and taken again').to.equal(true);
    expect(late.mayCome('a', 'shard', clock.now() + MINUTE), "the server's clock is ahead").to.equal(true);
  });

  it('forgets nothing when there are too many: every key counts', () => {
    const late = new LatePuts(virtualClock());
    for (let i = 0; i < 10_001; i++) late.gaveUp(`k${i}`);
    expect(late.mayCome('k0', 'p', 0)).to.equal(true);
    expect(late.mayCome('another', 'p', 0)).to.equal(true);
  });
});

describe('written images', () => {
  const image = (n: number) => ({ n: { N: String(n) } });

  it('know the stamp of exactly the image that was written', () => {
    const images = new WrittenImages();
    images.wrote('a', 's1', image(1));
    expect([images.stampOf('a', image(1)), images.stampOf('a', image(2)), images.stampOf('b', image(1))]).to.deep.equal([
      's1',
      undefined,
      undefined,
    ]);
    images.forget('a');
    expect(images.stampOf('a', image(1))).to.equal(undefined);
  });

  it('forget the least recently written when there is no room', () => {
    const images = new WrittenImages(3 * 251);
    for (const [place, n] of [
      ['a', 1],
      ['b', 1],
      ['c', 1],
      ['a', 2],
      ['d', 1],
    ] as const)
      images.wrote(place, `s${n}`, image(n));
    expect(['a', 'b', 'c', 'd'].map(place => images.stampOf(place, image(place === 'a' ? 2 : 1)) !== undefined)).to.deep.equal([
      true,
      false,
      true,
      true,
    ]);
  });
});

describe('replica outcomes', () => {
  const of = (kind: ServiceFault['class']) =>
    outcomeOf(new ServiceFault('SomeException', 'why', { class: kind }), { action: 'PutItem', table: 'copy' });

  it('say what a fault means for a record', () => {
    for (const kind of ['throttled', 'expired', 'network', 'server', 'aborted'] as const)
      expect(of(kind), kind).to.include({ is: 'failed', disposition: 'retry' });
    expect(of('throttled')).to.include({ throttled: true });
    expect(of('invalid')).to.include({ disposition: 'reject' });
    for (const kind of ['denied', 'missing'] as const) {
      const outcome = of(kind);
      expect(outcome.is === 'halted' && [outcome.fault.disposition, outcome.fault.heals]).to.deep.equal(['halt', true]);
      expect(outcome.is === 'halted' && outcome.fault.message).to.match(/copy/);
    }
    expect(outcomeOf(new TypeError('what'), { action: 'PutItem', table: 'copy' })).to.include({ disposition: 'retry' });
  });
});
