import { expect } from 'chai';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import { DaemonWorld, missing, tokensOf } from '../../fakes/daemon-world.ts';
import { throttles, writesAll } from '../../fakes/pipeline-world.ts';

describe('streams that come and go', () => {
  let world: DaemonWorld;

  beforeEach(() => {
    world = new DaemonWorld();
  });

  afterEach(async () => {
    await world.stopAll();
    for (const { end } of world.workers) if (end?.error !== undefined) throw end.error;
  });

  it('stream-disabled: drained to the end, ended without children, and it says so', async () => {
    const a = world.target('a');
    const worker = world.start();
    const tokens = world.write(20);
    await world.clock.advance(1_000);
    tokens.push(...world.write(20));
    world.now.disable();
    await world.clock.advance(120_000);
    expect([missing(a.delivered, tokens), worker.sink('a').state]).to.deep.equal([[], 'ended']);
    expect([...world.leases.rows.values()].map(one => [one.checkpoint, one.children])).to.deep.equal([['SHARD_END', []]]);
    expect(worker.daemon.status().pipelines[0]?.reason).to.match(/is disabled and has been read to its end/);
  });

  it('stream-re-enabled-new-arn: the old one drains first, a gap about what lies between, the new one from its start', async () => {
    const [a, slow] = [world.target('a'), world.target('slow', {}, throttles)];
    const worker = world.start({ source: { startingPosition: 'LATEST' } });
    await world.clock.advance(2_000);
    const old = world.write(20);
    world.now.disable();
    await world.clock.advance(5_000);
    world.stream = world.streams.create();
    const fresh = world.write(20);
    await world.clock.advance(100_000);
    expect([missing(a.delivered, [...old, ...fresh]), slow.delivered.length]).to.deep.equal([[], 0]);
    const gaps = [...world.control.gapRows.values()];
    expect(gaps.map(({ sinks, gap }) => [sinks, gap.reason])).to.deep.equal([[['a', 'slow'], 'stream-replaced']]);
    expect([worker.sink('a').gaps, worker.sink('slow').gaps]).to.deep.equal([1, 1]);
    slow.behaviour = writesAll();
    await world.clock.advance(100_000);
    expect([missing(slow.delivered, [...old, ...fresh]), tokensOf(slow.delivered).slice(0, 20).sort()]).to.deep.equal([[], old]);
    await world.clock.advance(100_000);
    expect([...world.control.streamRows.values()].map(({ drainedAt }) => drainedAt !== undefined)).to.deep.equal([true, false]);
    worker.stop();
    await world.clock.runUntil(worker.ended);
    world.start({ source: { startingPosition: 'LATEST' } });
    const more = world.write(5);
    await world.clock.advance(5_000);
    expect([missing(a.delivered, more), world.control.gapRows.size]).to.deep.equal([[], 1]);
  });

  it('a replaced stream whose rows have only just been made is not taken for one without shards', async () => {
    const a = world.target('a');
    world.leaseFate = operation => (operation === 'create' ? 'lost' : 'pass');
    const first = world.start();
    await world.clock.advance(2_000);
    await world.kill(first);
    const old = world.write(20);
    world.now.disable();
    await world.clock.advance(10_000);
    world.stream = world.streams.create();
    const fresh = world.write(20);
    world.leaseFate = operation => (operation === 'scan' ? { delayMs: 500 } : 'pass');
    world.start();
    await world.clock.advance(100_000);
    expect([...world.control.gapRows.values()].map(({ gap }) => gap.reason)).to.deep.equal(['stream-replaced']);
    expect([missing(a.delivered, [...old, ...fresh]), tokensOf(a.delivered).slice(0, 20).sort()]).to.deep.equal([[], old]);
  });

  it('shards that nobody saw at the end of a replaced stream are lost with the one that they followed, and its gap says so', async () => {
    const a = world.target('a');
    const first = world.start();
    world.write(10);
    await world.clock.advance(2_000);
    await world.kill(first);
    world.now.roll(world.now.open[0]?.id ?? '');
    world.write(10);
    world.now.disable();
    await world.clock.advance(25 * 3_600_000);
    world.stream = world.streams.create();
    const fresh = world.write(10);
    world.start();
    await world.clock.advance(200_000);
    expect(missing(a.delivered, fresh)).to.deep.equal([]);
    const notes = [...world.control.gapRows.values()].map(({ gap }) => gap.note);
    expect(notes.filter(note => note.endsWith('; shards that followed it unseen, if any, are lost too'))).to.have.length(1);
  });

  it('enabling-empty-list: waits, and reads from the start', async () => {
    world.now.status = 'ENABLING';
    const a = world.target('a');
    const worker = world.start();
    await world.clock.advance(30_000);
    const tokens = world.write(10);
    world.now.status = 'ENABLED';
    await world.clock.advance(80_000);
    expect([worker.end, missing(a.delivered, tokens)]).to.deep.equal([undefined, []]);
  });

  /** The first DescribeStream of it has ResourceNotFound for an answer. */
  const unknownOnce = (arn: string) => {
    let asked = 0;
    world.streams.fate = call =>
      call.operation === 'describe' && call.streamArn === arn && asked++ === 0
        ? new ServiceFault('ResourceNotFoundException', 'not found', { class: 'missing', status: 400 })
        : 'pass';
  };
  const gapsOf = (sink: string) => [...world.control.gapRows.values()].filter(({ sinks }) => sinks.includes(sink));

  it('a stream that was just made and is unknown for a moment is read', async () => {
    const a = world.target('a');
    unknownOnce(world.now.arn);
    const tokens = world.write(10);
    world.start();
    await world.clock.advance(200_000);
    tokens.push(...world.write(5));
    await world.clock.advance(200_000);
    expect([missing(a.delivered, tokens), gapsOf('a')]).to.deep.equal([[], []]);
  });

  it('the same of a stream that replaces another', async () => {
    const a = world.target('a');
    world.start();
    await world.clock.advance(5_000);
    world.now.disable();
    world.stream = world.streams.create();
    unknownOnce(world.now.arn);
    const tokens = world.write(10);
    await world.clock.advance(300_000);
    expect([missing(a.delivered, tokens), gapsOf('a').map(({ gap }) => gap.reason)]).to.deep.equal([[], ['stream-replaced']]);
  });

  it('the same of a stream that is being read', async () => {
    const a = world.target('a');
    world.start();
    await world.clock.advance(5_000);
    unknownOnce(world.now.arn);
    await world.clock.advance(120_000);
    const tokens = world.write(10);
    await world.clock.advance(200_000);
    expect([missing(a.delivered, tokens), gapsOf('a')]).to.deep.equal([[], []]);
  });
});
