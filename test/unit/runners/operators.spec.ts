import { expect } from 'chai';
import { SinkFault } from '../../../src/connector.ts';
import { DaemonWorld, missing } from '../../fakes/daemon-world.ts';
import { hangs, throttles, writesAll } from '../../fakes/pipeline-world.ts';

describe('what operators ask and see', () => {
  let world: DaemonWorld;

  beforeEach(() => {
    world = new DaemonWorld();
  });

  afterEach(async () => {
    await world.stopAll();
    for (const { end } of world.workers) if (end?.error !== undefined) throw end.error;
  });

  it('a pause is seen within a second by all workers, is kept over a restart, and ends with a resume', async () => {
    const [a, b] = [world.target('a'), world.target('b')];
    let worker = world.start();
    const before = world.write(10);
    await world.clock.advance(2_000);
    await world.control.ask('p', 'a', true, new AbortController().signal);
    await world.clock.advance(1_000);
    expect(worker.sink('a').state).to.equal('paused');
    const tokens = world.write(10);
    await world.clock.advance(5_000);
    expect([a.delivered.length, missing(b.delivered, tokens)]).to.deep.equal([10, []]);
    worker.stop();
    await world.clock.runUntil(worker.ended);
    worker = world.start();
    await world.clock.advance(5_000);
    expect([worker.sink('a').state, a.delivered.length]).to.deep.equal(['paused', 10]);
    expect(worker.daemon.notReady()).to.deep.equal([]);
    expect(await worker.daemon.resume('p', 'a')).to.equal('done');
    await world.clock.advance(20_000);
    expect([missing(a.delivered, [...before, ...tokens]), a.delivered.length, worker.sink('a').state]).to.deep.equal([[], 20, 'brisk']);
  });

  it('knows its pipelines and sinks', async () => {
    world.target('a');
    const worker = world.start();
    await world.clock.advance(1_000);
    const asked = ['x', 'p', 'p'].map((pipeline, i) => worker.daemon.pause(pipeline, i === 2 ? 'a' : 'x'));
    expect(await Promise.all(asked)).to.deep.equal(['unknown', 'unknown', 'done']);
    expect(world.control.requests.size).to.equal(1);
    expect(worker.sink('a').state).to.equal('paused');
  });

  it('a resume tries a halted sink again; one that heals looks again by itself each minute', async () => {
    const a = world.target('a');
    a.refuseOpen = new SinkFault('halt', 'no permission for dynamodb:PutItem on table eu', { heals: true });
    const worker = world.start();
    const tokens = world.write(10);
    await world.clock.advance(5_000);
    expect([worker.sink('a').state, worker.sink('a').reason]).to.deep.equal(['halted', 'no permission for dynamodb:PutItem on table eu']);
    expect(worker.daemon.notReady()).to.deep.equal([]);
    a.refuseOpen = undefined;
    await world.clock.advance(60_000);
    expect([worker.sink('a').state, missing(a.delivered, tokens)]).to.deep.equal(['brisk', []]);
    a.behaviour = async () => {
      throw new SinkFault('halt', 'the record is refused');
    };
    const more = world.write(5);
    await world.clock.advance(120_000);
    expect([worker.sink('a').state, worker.sink('a').reason]).to.deep.equal(['halted', 'the record is refused']);
    a.behaviour = writesAll();
    await worker.daemon.resume('p', 'a');
    await world.clock.advance(20_000);
    expect([worker.sink('a').state, missing(a.delivered, more)]).to.deep.equal(['brisk', []]);
  });

  it('a sink waits while it opens for the first time; paused it says by whom', async () => {
    const a = world.target('a');
    const connector = a.connector(world.clock);
    const open: typeof connector.open = async (...args) => {
      await world.clock.sleep(5_000, new AbortController().signal);
      return connector.open(...args);
    };
    const worker = world.start({ sinks: { a: { connector: { ...connector, open } } } });
    await world.clock.advance(3_000);
    expect([worker.sink('a').state, worker.sink('a').reason]).to.deep.equal(['waiting', 'not open yet']);
    expect(worker.daemon.gauges().pipelines[0]?.sinks[0]?.halted).to.equal(false);
    await world.clock.advance(5_000);
    expect([worker.sink('a').state, worker.sink('a').reason]).to.deep.equal(['brisk', null]);
    await worker.daemon.pause('p', 'a');
    expect([worker.sink('a').state, worker.sink('a').reason]).to.deep.equal(['paused', 'paused by an operator']);
  });

  it('all sinks down: ready, and nothing false is said', async () => {
    for (const name of ['a', 'b']) world.target(name).refuseOpen = new SinkFault('halt', 'down', { heals: true });
    const worker = world.start();
    world.write(10);
    await world.clock.advance(300_000);
    expect([worker.daemon.notReady(), worker.daemon.status().ready]).to.deep.equal([[], true]);
    expect(world.moves).to.deep.equal(['free']);
  });

  it('a sink whose writes fail says why, at once and when it has stalled, until they succeed', async () => {
    const a = world.target('a');
    const worker = world.start();
    await world.clock.advance(1_000);
    a.behaviour = throttles;
    const tokens = world.write(10);
    await world.clock.advance(5_000);
    expect([worker.sink('a').state, worker.sink('a').reason]).to.deep.equal(['brisk', 'writes fail and are tried again: slow down']);
    await world.clock.advance(60_000);
    expect(worker.sink('a').state).to.equal('stalled');
    expect(worker.sink('a').reason).to.match(/^nothing has been finished for \d+ s: .*; writes fail and are tried again: slow down$/);
    a.behaviour = writesAll();
    await world.clock.advance(20_000);
    expect([missing(a.delivered, tokens), worker.sink('a').reason]).to.deep.equal([[], null]);
  });

  it('is ready when every shard has been opened: what is written then is missed by nobody, not even at the tip', async () => {
    const a = world.target('a');
    world.streams.rules.latencyMs = 150;
    const worker = world.start({ source: { startingPosition: 'LATEST' } });
    const seen = new Set<string>();
    await world.clock.runUntil(() => {
      const reasons = worker.daemon.notReady();
      for (const reason of reasons) seen.add(reason);
      return reasons.length === 0;
    });
    expect([...seen]).to.deep.equal([
      'pipeline p starts: waiting for the first look at the lease table',
      'pipeline p: its shards are being opened',
    ]);
    const tokens = world.write(5);
    await world.clock.advance(3_000);
    expect(missing(a.delivered, tokens)).to.deep.equal([]);
  });

  it('is not ready when a shard does not answer, and says which', async () => {
    world.target('a');
    const worker = world.start();
    await world.clock.advance(5_000);
    world.streams.fate = ({ operation }) => (operation === 'read' ? 'throttled' : 'pass');
    await world.clock.advance(35_000);
    const [reason] = worker.daemon.notReady();
    expect(reason).to.match(/^pipeline p: 1 shards have not answered for up to 3\d s, shardId-.* among them$/);
    world.streams.fate = () => 'pass';
    await world.clock.advance(20_000);
    expect(worker.daemon.notReady()).to.deep.equal([]);
  });

  describe('lag', () => {
    const lag = (worker: ReturnType<DaemonWorld['start']>) => worker.sink('a').lagSeconds ?? -1;

    it('is 0 while nothing is outstanding, idle for long, and after a restart', async () => {
      world.target('a');
      let worker = world.start();
      world.write(10);
      await world.clock.advance(600_000);
      expect([lag(worker), worker.sink('a').retentionLeftSeconds]).to.deep.equal([0, null]);
      worker.stop();
      await world.clock.runUntil(worker.ended);
      await world.clock.advance(3_600_000);
      worker = world.start();
      await world.clock.advance(3_000);
      expect(lag(worker)).to.equal(0);
    });

    it('counts a second a second from the oldest record that is not durable, be it in flight or not read', async () => {
      const a = world.target('a');
      const worker = world.start();
      await world.clock.advance(5_000);
      a.behaviour = hangs;
      world.write(10);
      await world.clock.advance(100_000);
      expect(lag(worker)).to.be.closeTo(100, 1.5);
      await world.clock.advance(50_000);
      expect(lag(worker)).to.be.closeTo(150, 1.5);
      expect(worker.sink('a').retentionLeftSeconds).to.be.closeTo(86_400 - 150, 1.5);
      a.behaviour = writesAll();
      await world.clock.advance(30_000);
      expect(lag(worker)).to.equal(0);
    });

    it('counts while paused and halted, for what came meanwhile, and not before', async () => {
      world.target('a');
      world.target('b');
      const worker = world.start();
      world.write(10);
      await world.clock.advance(5_000);
      await worker.daemon.pause('p', 'a');
      await world.clock.advance(60_000);
      expect(lag(worker)).to.equal(0);
      world.write(10);
      await world.clock.advance(30_000);
      world.write(10);
      await world.clock.advance(30_000);
      expect(lag(worker)).to.be.closeTo(60, 1.5);
      await worker.daemon.resume('p', 'a');
      await world.clock.advance(30_000);
      expect(lag(worker)).to.equal(0);
    });

    for (const kind of ['paused', 'halted'] as const) {
      it(`all sinks ${kind} with everything, and a restart: 0, however long ago; then a second a second from what comes, over a shard's end too`, async () => {
        const targets = ['a', 'b'].map(name => world.target(name));
        let worker = world.start();
        world.write(10);
        await world.clock.advance(5_000);
        if (kind === 'paused') for (const name of ['a', 'b']) await worker.daemon.pause('p', name);
        worker.stop();
        await world.clock.runUntil(worker.ended);
        if (kind === 'halted') for (const target of targets) target.refuseOpen = new SinkFault('halt', 'down', { heals: true });
        await world.clock.advance(3_600_000);
        worker = world.start();
        await world.clock.advance(3_000);
        const seen = () => ['a', 'b'].map(name => [worker.sink(name).state, Math.round(worker.sink(name).lagSeconds ?? -1)]);
        expect(seen()).to.deep.equal([
          [kind, 0],
          [kind, 0],
        ]);
        expect(worker.sink('a').retentionLeftSeconds).to.equal(null);
        world.now.roll(world.now.open[0]?.id ?? '');
        await world.clock.advance(120_000);
        expect(seen()).to.deep.equal([
          [kind, 0],
          [kind, 0],
        ]);
        const tokens = world.write(5);
        await world.clock.advance(30_000);
        world.write(5);
        await world.clock.advance(30_000);
        expect(seen()).to.deep.equal([
          [kind, 60],
          [kind, 60],
        ]);
        for (const target of targets) target.refuseOpen = undefined;
        for (const name of ['a', 'b']) await worker.daemon.resume('p', name);
        await world.clock.advance(30_000);
        expect(lag(worker)).to.equal(0);
        for (const target of targets) expect(missing(target.delivered, tokens)).to.deep.equal([]);
      });
    }

    it('of a sink that was paused before its first record counts from the oldest record held', async () => {
      world.target('a');
      world.write(10);
      await world.control.ask('p', 'a', true, new AbortController().signal);
      await world.clock.advance(100_000);
      const worker = world.start();
      await world.clock.advance(3_000);
      expect(lag(worker)).to.be.closeTo(103, 1.5);
    });

    it('goes down while catching up', async () => {
      world.target('a', { inFlight: 1, batch: { records: 10, bytes: 1_000_000, waitMs: 0 } }, writesAll(100));
      for (let second = 0; second < 60; second++) {
        world.write(30);
        await world.clock.advance(1_000);
      }
      const worker = world.start();
      await world.clock.advance(2_000);
      const lags: number[] = [];
      for (let n = 0; n < 5; n++) {
        lags.push(lag(worker));
        await world.clock.advance(5_000);
      }
      expect(lags[0]).to.be.closeTo(61, 2.5);
      expect(lags).to.deep.equal([...lags].sort((x, y) => y - x));
      expect(lag(worker)).to.equal(0);
    });

    it('is in the gauges, with iterator age and what is open', async () => {
      world.target('a', {}, throttles);
      world.target('b');
      const worker = world.start();
      await world.clock.advance(2_000);
      world.write(10);
      await world.clock.advance(20_000);
      const gauges = worker.daemon.gauges();
      const [pipeline] = gauges.pipelines;
      expect(gauges.leasesOwned).to.equal(1);
      expect(gauges.memoryBytes).to.be.above(0);
      expect(pipeline?.tables[0]).to.include({ table: 'orders', shardsOpen: 1, shardsWaiting: 0, iteratorAgeSeconds: 0 });
      const [a, b] = pipeline?.sinks ?? [];
      expect(a?.lagSeconds).to.be.closeTo(20, 1.5);
      expect([a?.open, b?.open, b?.lagSeconds, a?.halted]).to.deep.equal([10, 0, 0, false]);
    });
  });
});
