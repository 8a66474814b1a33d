import { expect } from 'chai';
import { partsOfLeaseKey } from '../../../src/ports/lease-store.ts';
import { DaemonWorld, missing } from '../../fakes/daemon-world.ts';
import { outOfOrder, throttles, writesAll } from '../../fakes/pipeline-world.ts';

const HOUR = 3_600_000;

describe('gaps', () => {
  let world: DaemonWorld;

  beforeEach(() => {
    world = new DaemonWorld();
  });

  afterEach(async () => {
    await world.stopAll();
    for (const { end } of world.workers) if (end?.error !== undefined) throw end.error;
  });

  const gaps = () =>
    [...world.control.gapRows.values()].map(({ sinks, gap }) => ({ sinks, reason: gap.reason, from: gap.from, to: gap.to }));

  async function away(ms: number, between: () => void = () => {}): Promise<void> {
    const worker = world.start();
    await world.clock.advance(2_000);
    worker.stop();
    await world.clock.runUntil(worker.ended);
    between();
    await world.clock.advance(ms);
  }

  it('trimmed-on-resume: reads on at the oldest record held; one gap, durable, counted, shown, logged as an error', async () => {
    const a = world.target('a');
    const before = world.write(10);
    await away(25 * HOUR, () => world.write(10));
    const tokens = world.write(10);
    const worker = world.start();
    await world.clock.advance(5_000);
    expect(missing(a.delivered, tokens)).to.deep.equal([]);
    expect(gaps()).to.deep.equal([{ sinks: ['a'], reason: 'trimmed', from: before.at(-1), to: tokens[0] }]);
    expect(worker.sink('a').gaps).to.equal(1);
    const [line] = world.log.lines.filter(({ level }) => level === 'error');
    expect(line?.message).to.match(/^records were lost/);
    expect(line?.fields).to.include({ pipeline: 'p', table: 'orders', reason: 'trimmed' });
  });

  it('is kept before anything behind it is saved', async () => {
    const a = world.target('a');
    const before = world.write(10);
    await away(25 * HOUR, () => world.write(10));
    world.write(10);
    world.controlFate = operation => (operation === 'addGap' ? 'lost' : 'pass');
    const worker = world.start();
    await world.clock.advance(20_000);
    const [row] = world.leases.rows.values();
    expect([a.delivered.length, row?.checkpoint]).to.deep.equal([20, before.at(-1)]);
    await world.kill(worker);
    world.controlFate = () => 'pass';
    world.start();
    await world.clock.advance(20_000);
    expect([gaps().length, [...world.leases.rows.values()][0]?.checkpoint === before.at(-1)]).to.deep.equal([1, false]);
  });

  it('is found once, whoever finds it', async () => {
    world.target('a');
    world.write(10);
    await away(25 * HOUR, () => world.write(10));
    world.write(10);
    world.leaseFate = operation => (operation === 'write' ? { delayMs: 400 } : 'pass');
    const first = world.start();
    await world.clock.runUntil(() => gaps().length === 1);
    await world.kill(first);
    const second = world.start();
    await world.clock.advance(20_000);
    expect([gaps().length, second.sink('a').gaps]).to.deep.equal([1, 1]);
  });

  it('onGap: halt: the sinks that lost something halt with the reason; a resume goes on', async () => {
    const a = world.target('a');
    world.write(10);
    await away(25 * HOUR, () => world.write(10));
    const tokens = world.write(10);
    const worker = world.start({ source: { onGap: 'halt' } });
    await world.clock.advance(5_000);
    expect(worker.sink('a')).to.deep.include({ state: 'halted', gaps: 1 });
    expect(worker.sink('a').reason).to.match(/^records were lost: /);
    expect(await worker.daemon.resume('p', 'a')).to.equal('done');
    await world.clock.advance(20_000);
    expect([worker.sink('a').state, missing(a.delivered, tokens)]).to.deep.equal(['brisk', []]);
  });

  it('rnf-shard-gone: a gap and the end, and the children start', async () => {
    const a = world.target('a');
    world.write(10);
    await away(0, () => world.write(10));
    world.now.roll(world.now.open[0]?.id ?? '');
    await world.clock.advance(25 * HOUR);
    const tokens = world.write(10);
    world.start();
    await world.clock.advance(130_000);
    expect([missing(a.delivered, tokens), gaps().map(({ reason }) => reason)]).to.deep.equal([[], ['shard-gone']]);
    expect([...world.leases.rows.values()].map(({ checkpoint }) => checkpoint)).to.include('SHARD_END');
  });

  it('a shard that is gone is looked for once, for sinks at whatever places in it', async () => {
    const [a, b, c] = [world.target('a'), world.target('b', {}, throttles), world.target('c', {}, throttles)];
    const first = world.write(10);
    const worker = world.start();
    await world.clock.advance(2_000);
    b.behaviour = writesAll();
    await world.clock.runUntil(() => b.delivered.length === 10);
    await world.clock.advance(2_000);
    b.behaviour = throttles;
    const second = world.write(10);
    await world.clock.advance(2_000);
    worker.stop();
    await world.clock.runUntil(worker.ended);
    world.write(10);
    world.now.roll(world.now.open[0]?.id ?? '');
    await world.clock.advance(25 * HOUR);
    for (const target of [b, c]) target.behaviour = writesAll();
    const tokens = world.write(10);
    world.start();
    await world.clock.advance(80_000);
    expect([a, b, c].map(({ delivered }) => missing(delivered, tokens))).to.deep.equal([[], [], []]);
    expect(gaps().map(({ sinks, from }) => [sinks, from])).to.have.deep.members([
      [['b'], first.at(-1)],
      [['c'], first[0]],
      [['a'], second.at(-1)],
    ]);
  });

  it('rnf-transient: a shard that is listed and refused as unknown, for a moment or for five minutes, is no gap and no end', async () => {
    const a = world.target('a');
    world.start();
    const tokens = world.write(10);
    await world.clock.advance(2_000);
    for (const seconds of [1, 40, 300]) {
      const until = world.clock.elapsed() + seconds * 1_000;
      world.streams.fate = ({ operation }) => (operation !== 'describe' && world.clock.elapsed() < until ? 'gone' : 'pass');
      tokens.push(...world.write(10));
      await world.clock.advance(seconds * 1_000 + 15_000);
      expect([missing(a.delivered, tokens), gaps(), world.moves]).to.deep.equal([[], [], ['free']]);
    }
    expect([...world.leases.rows.values()].map(({ checkpoint }) => checkpoint)).to.deep.equal([tokens.at(-1)]);
  });

  it('trimmed-while-reading: what is trimmed before a sink that has stalled comes to it is one gap with both numbers, and it goes on in the same shard', async () => {
    world = new DaemonWorld({ retentionMs: HOUR / 4 });
    const [up, down] = [world.target('up'), world.target('down')];
    const worker = world.start({ source: { pollMs: 10_000, idleMs: 10_000 } });
    const before = world.write(10);
    await world.clock.advance(30_000);
    down.behaviour = throttles;
    const tokens: string[] = [];
    for (let minute = 0; minute < 45; minute += 3) {
      tokens.push(...Array.from({ length: 10 }, (_, n) => world.now.write({ pk: `k${n}`, bytes: 450_000, sizeBytes: 400_000 }).token));
      await world.clock.advance(180_000);
    }
    expect([missing(up.delivered, tokens), worker.sink('down').state]).to.deep.equal([[], 'stalled']);
    down.behaviour = writesAll();
    await world.clock.advance(120_000);
    const [gap, ...more] = gaps();
    expect([more, gap?.sinks, gap?.reason]).to.deep.equal([[], ['down'], 'trimmed']);
    const after = tokens.indexOf(gap?.to ?? '');
    const last = tokens.indexOf(gap?.from ?? '');
    expect([after > last + 1, before.length + last + 1 + (tokens.length - after)]).to.deep.equal([true, down.delivered.length]);
    expect([missing(down.delivered, [...tokens.slice(0, last + 1), ...tokens.slice(after)]), outOfOrder(down.delivered)]).to.deep.equal([
      [],
      undefined,
    ]);
    expect([...world.leases.rows.values()].map(({ checkpoint }) => checkpoint)).to.deep.equal([tokens.at(-1)]);
  });

  it('where everything was trimmed and nothing comes, sinks at several places do not have the shard read again and again', async () => {
    world = new DaemonWorld({ readers: 10 });
    const sinks = ['a', 'b', 'c'].map(name => world.target(name));
    const worker = world.start();
    for (const [n, target] of sinks.entries()) {
      world.write(10);
      await world.clock.advance(2_000);
      target.behaviour = throttles;
      expect(target.delivered).to.have.length(10 * (n + 1));
    }
    await world.kill(worker);
    await world.clock.advance(25 * HOUR);
    for (const target of sinks) target.behaviour = writesAll();
    world.start();
    await world.clock.advance(20_000);
    const before = world.streams.calls.read;
    await world.clock.advance(60_000);
    expect(world.streams.calls.read - before).to.be.below(500);
    const tokens = world.write(10);
    await world.clock.advance(3_000);
    expect(sinks.map(({ delivered }) => missing(delivered, tokens))).to.deep.equal([[], [], []]);
    expect(gaps().map(one => one.sinks)).to.have.deep.members([['a'], ['b'], ['c']]);
  });

  it('shards that go under a halted sink are ended for it with gaps, so that rows do not pile up', async () => {
    world = new DaemonWorld({ retentionMs: HOUR });
    const [up, down] = [world.target('up'), world.target('down')];
    const worker = world.start({ source: { pollMs: 60_000, idleMs: 60_000 } });
    await world.clock.advance(2_000);
    await worker.daemon.pause('p', 'down');
    const tokens: string[] = [];
    for (let generation = 0; generation < 12; generation++) {
      tokens.push(...world.write(5));
      world.now.roll(world.now.open[0]?.id ?? '');
      await world.clock.advance(HOUR / 6);
    }
    expect([missing(up.delivered, tokens), down.delivered.length]).to.deep.equal([[], 0]);
    expect(worker.sink('down').gaps).to.be.within(5, 7);
    const ended = [...world.leases.rows.values()].filter(({ checkpoint }) => checkpoint === 'SHARD_END');
    expect(ended.length).to.be.within(5, 7);
    await worker.daemon.resume('p', 'down');
    await world.clock.advance(300_000);
    expect(missing(down.delivered, tokens.slice(-5 * 5))).to.deep.equal([]);
    expect(outOfOrder(down.delivered)).to.equal(undefined);
  });

  it('a stream that is gone: what was not read is a gap, and the new stream is read from its start', async () => {
    const a = world.target('a', {}, throttles);
    const worker = world.start();
    await world.clock.advance(2_000);
    world.write(10);
    await world.clock.advance(2_000);
    world.now.removed = true;
    world.stream = world.streams.create();
    const tokens = world.write(10);
    await world.clock.advance(200_000);
    a.behaviour = writesAll();
    await world.clock.advance(200_000);
    expect([worker.end, missing(a.delivered, tokens)]).to.deep.equal([undefined, []]);
    expect(gaps().map(({ reason }) => reason)).to.have.members(['stream-replaced', 'shard-gone']);
    const rows = [...world.leases.rows.values()].filter(({ key }) => partsOfLeaseKey(key).streamArn !== world.now.arn);
    expect(rows.map(({ checkpoint }) => checkpoint)).to.deep.equal(['SHARD_END']);
  });

  it('a stream that went while nobody read: what was not read is a gap, and the new stream is read from its start', async () => {
    const a = world.target('a');
    const before = world.write(10);
    await away(26 * HOUR, () => {
      world.write(10);
      world.now.removed = true;
      world.stream = world.streams.create();
    });
    const tokens = world.write(10);
    const worker = world.start();
    await world.clock.advance(200_000);
    expect([worker.end, missing(a.delivered, tokens)]).to.deep.equal([undefined, []]);
    expect(gaps().map(({ reason, from }) => [reason, from])).to.have.deep.members([
      ['stream-replaced', undefined],
      ['shard-gone', before.at(-1)],
      ['trimmed', undefined],
    ]);
  });

  it('onGap: halt: also where the rows alone tell of the loss', async () => {
    const a = world.target('a');
    world.write(10);
    await away(2 * HOUR, () => {
      world.write(10);
      world.now.removed = true;
      world.stream = world.streams.create();
    });
    const tokens = world.write(10);
    const worker = world.start({ source: { onGap: 'halt' } });
    await world.clock.advance(100_000);
    expect(worker.sink('a').state).to.equal('halted');
    expect(worker.sink('a').reason).to.match(/^records were lost: /);
    for (let resumes = 0; resumes < 3; resumes += 1) {
      await worker.daemon.resume('p', 'a');
      await world.clock.advance(100_000);
    }
    expect([worker.sink('a').state, missing(a.delivered, tokens)]).to.deep.equal(['brisk', []]);
  });
});
