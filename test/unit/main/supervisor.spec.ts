import { expect } from 'chai';
import { Supervisor } from '../../../src/main/supervisor.ts';
import type { WorkerEnding, WorkerProcess } from '../../../src/main/worker-process.ts';
import type { Status } from '../../../src/model/status.ts';
import { keptLog } from '../../fakes/lease-world.ts';
import { seededRandom, virtualClock } from '../../fakes/virtual-clock.ts';

interface FakeProcess extends WorkerProcess {
  readonly number: number;
  readonly startedAt: number;
  isUp: boolean;
  /** What it was told, in order. */
  readonly told: string[];
  answer: (what: string) => Promise<unknown>;
  end(ending: WorkerEnding): void;
}

const ended = (code: number): WorkerEnding => ({ code, how: `exit ${code}` });
const status = (worker: string): Status => ({ name: 'shop', worker, ready: true, notReady: [], pipelines: [] });

describe('main/supervisor', () => {
  const clock = virtualClock();
  const random = seededRandom(1);
  let log = keptLog();
  let started: FakeProcess[] = [];
  let stop = new AbortController();
  let all: Supervisor;
  let over: Promise<number>;

  function begin(processes = 3): void {
    [started, stop, log] = [[], new AbortController(), keptLog()];
    const start = (number: number) => fakeProcess(number);
    all = new Supervisor({ name: 'shop', worker: 'w', processes, drainMs: 5_000, start, clock, random, log });
    over = all.run(stop.signal);
  }

  function fakeProcess(number: number): FakeProcess {
    const { promise, resolve } = Promise.withResolvers<WorkerEnding>();
    const one: FakeProcess = {
      number,
      pid: 100 + number,
      startedAt: clock.elapsed(),
      isUp: true,
      told: [],
      answer: async what => ({ status: status(`w${number}`), notReady: [], metrics: `m ${number}\n`, pause: 'done', resume: 'done' })[what],
      ended: promise,
      end: resolve,
      ask: ({ what }) => one.answer(what),
      stop: why => void one.told.push(why),
      kill: () => resolve({ code: null, how: 'SIGKILL' }),
    };
    started.push(one);
    return one;
  }

  const nth = (i: number): FakeProcess => {
    const one = started[i];
    if (one === undefined) throw new Error(`no process was started as number ${i}`);
    return one;
  };

  it('starts as many as asked for; a stop is passed on, and the end is 0 when all have ended in order', async () => {
    begin();
    expect(started.map(({ number }) => number)).to.deep.equal([1, 2, 3]);
    stop.abort(new Error('SIGTERM'));
    await clock.advance(0);
    expect(started.map(({ told }) => told)).to.deep.equal([['SIGTERM'], ['SIGTERM'], ['SIGTERM']]);
    for (const one of started) one.end(ended(0));
    expect(await over).to.equal(0);
    expect(clock.pending).to.equal(0);
  });

  it('one that ends is started again, and the others run on', async () => {
    begin(2);
    for (let death = 0; death < 5; death++) {
      const at = clock.elapsed();
      const before = started.length;
      started.findLast(({ number }) => number === 2)?.end({ code: null, how: 'SIGKILL' });
      await clock.runUntil(() => started.length > before);
      expect(clock.elapsed() - at).to.be.within(375, 625);
      // Whoever has run for so long has not failed at its start.
      await clock.advance(60_000);
    }
    expect(started.filter(({ number }) => number === 1)).to.have.length(1);
    expect(log.lines[0]?.message).to.equal('process 2 has ended (SIGKILL); it is started again');
    stop.abort();
    for (const one of started) one.end(ended(0));
    expect(await over).to.equal(0);
  });

  it('waits longer each time that one ends soon after its start', async () => {
    begin(1);
    const waits: number[] = [];
    for (let death = 0; death < 9; death++) {
      const at = clock.elapsed();
      const before = started.length;
      nth(before - 1).end(ended(1));
      await clock.runUntil(() => started.length > before);
      waits.push(clock.elapsed() - at);
    }
    expect(waits[0]).to.be.within(375, 625);
    expect(waits[3]).to.be.within(3_000, 5_000);
    expect(waits[8]).to.be.within(22_500, 37_500);
    stop.abort();
    nth(9).end(ended(0));
    expect(await over).to.equal(0);
  });

  for (const [code, why] of [
    [78, 'wrong settings'],
    [75, 'a lease table on which others work'],
  ] as const) {
    it(`${why} end all with their code`, async () => {
      begin();
      nth(1).end(ended(code));
      await clock.advance(0);
      expect(nth(0).told).to.deep.equal([`process 2 has ended with ${code}`]);
      for (const one of started) one.end(ended(0));
      expect([await over, started.length]).to.deep.equal([code, 3]);
    });
  }

  it('what one that is started again says of the settings does not end the others', async () => {
    begin(2);
    nth(1).end({ code: null, how: 'SIGKILL' });
    await clock.runUntil(() => started.length === 3);
    nth(2).end(ended(78));
    await clock.runUntil(() => started.length === 4);
    expect(nth(0).told).to.deep.equal([]);
    stop.abort();
    for (const one of started) one.end(ended(0));
    expect(await over).to.equal(0);
  });

  it('those that the signal of a stop ends before they have begun have ended as they should', async () => {
    begin(3);
    stop.abort(new Error('SIGTERM'));
    nth(0).end(ended(143));
    nth(1).end({ code: null, how: 'SIGTERM' });
    nth(2).end(ended(0));
    expect(await over).to.equal(0);
  });

  it('one that does not end in time is killed, and the end is 1', async () => {
    begin(2);
    stop.abort(new Error('SIGTERM'));
    await clock.advance(0);
    nth(0).end(ended(0));
    await clock.advance(6_200);
    expect(log.lines.some(({ message }) => /killed/.test(message))).to.equal(false);
    await clock.advance(100);
    expect([await over, log.lines.at(-1)?.message]).to.deep.equal([1, 'process 2 has not ended in time and is killed; its leases expire']);
  });

  it('a stop while one waits to be started again starts nothing', async () => {
    begin(2);
    nth(1).end(ended(1));
    await clock.advance(100);
    stop.abort();
    nth(0).end(ended(0));
    expect([await over, started.length]).to.deep.equal([0, 2]);
  });

  it('speaks for all, and says who does not speak', async () => {
    begin();
    expect([await all.notReady(), await all.notAlive()]).to.deep.equal([[], []]);
    nth(0).isUp = false;
    nth(1).answer = () => Promise.reject(new Error('does not answer'));
    expect(await all.notReady()).to.deep.equal(['process 1: is starting', 'process 2: does not answer']);
    // A start is no reason to end everything.
    expect(await all.notAlive()).to.deep.equal(['process 2: does not answer']);
    expect(await all.metricsText()).to.equal('m{process="3"} 3\n');
    const { ready, processes } = await all.status();
    expect([ready, processes?.map(({ pid, worker }) => [pid, worker])]).to.deep.equal([
      false,
      [
        [101, null],
        [102, null],
        [103, 'w3'],
      ],
    ]);
    expect(await all.pause('orders', 'eu')).to.equal('done');
    nth(2).end({ code: null, how: 'SIGKILL' });
    await clock.advance(0);
    expect((await all.notReady())[2]).to.equal('process 3: has ended (SIGKILL) and is started again');
    let refusal: unknown;
    await all.resume('orders', 'eu').catch(error => {
      refusal = error;
    });
    expect(refusal).to.be.an('error');
    stop.abort();
    for (const one of started) one.end(ended(0));
    await over;
  });
});
