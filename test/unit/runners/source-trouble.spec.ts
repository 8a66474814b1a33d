import { expect } from 'chai';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import { NothingCanRun } from '../../../src/runners/daemon-parts.ts';
import { DaemonWorld, denied, missing, type Worker } from '../../fakes/daemon-world.ts';
import { Mortal } from '../../fakes/mortal.ts';
import { throttles, writesAll } from '../../fakes/pipeline-world.ts';

describe('trouble with a source', () => {
  let world: DaemonWorld;

  beforeEach(() => {
    world = new DaemonWorld();
  });

  afterEach(() => world.stopAll());

  async function reasons(worker: Worker): Promise<readonly string[]> {
    await world.clock.runUntil(worker.ended, { maxMs: 30_000 });
    const error = worker.end?.error;
    if (!(error instanceof NothingCanRun)) throw error ?? new Error('it ended well');
    return error.reasons;
  }

  it('a denied table is the end when no pipeline can run', async () => {
    world.target('a');
    world.tableFault = denied('dynamodb:DescribeTable');
    expect(await reasons(world.start())).to.deep.equal([
      'p: no permission for dynamodb:DescribeTable on table orders in us-east-1: not authorized to perform dynamodb:DescribeTable',
    ]);
  });

  it('so is a table that is missing, or has no stream: the mend is named', async () => {
    world.target('a');
    world.stream = undefined;
    expect(await reasons(world.start())).to.deep.equal([
      'p: table orders in us-east-1 has no stream; enable one with the view type NEW_AND_OLD_IMAGES, or set source.enableStream: true',
    ]);
    world.tableFault = new ServiceFault('ResourceNotFoundException', 'Requested resource not found', { class: 'missing', status: 400 });
    expect(await reasons(world.start())).to.deep.equal(['p: table orders in us-east-1 is not there: Requested resource not found']);
  });

  it('so is a view type too small for a sink: table, has, needs', async () => {
    world = new DaemonWorld({}, { viewType: 'KEYS_ONLY' });
    const a = world.target('a');
    const connector = { ...a.connector(world.clock), needs: () => ['NEW_IMAGE', 'NEW_AND_OLD_IMAGES'] as const };
    expect(await reasons(world.start({ sinks: { a: { connector } } }))).to.deep.equal([
      'p: the stream of table orders has the view type KEYS_ONLY, but sink a (scripted) needs NEW_IMAGE or NEW_AND_OLD_IMAGES; disable the stream and enable it again with that view type',
    ]);
    expect(a.opened).to.equal(0);
  });

  it('two-reader-limit: what is read again for sinks that are behind does not keep the others waiting', async () => {
    const fast = world.target('fast');
    const late = ['a', 'b', 'c', 'd'].map(name => world.target(name, {}, throttles));
    const change = { pk: 'k', bytes: 40_000, sizeBytes: 40_000 };
    world.start({ source: { pollMs: 1_000, idleMs: 1_000 } });
    for (let n = 0; n < 2_000; n++) {
      world.now.write(change);
      await world.clock.advance(20);
    }
    for (const [n, target] of late.entries()) target.behaviour = writesAll(20 + 10 * n);
    let worstMs = 0;
    for (let n = 0; n < 40; n++) {
      const { token } = world.now.write(change);
      const from = world.clock.elapsed();
      await world.clock.runUntil(() => fast.delivered.at(-1)?.token === token, { maxMs: 60_000 });
      worstMs = Math.max(worstMs, world.clock.elapsed() - from);
    }
    expect(worstMs).to.be.below(2_500);
    for (const { delivered } of late) expect(delivered.length).to.be.above(2_000);
  });

  it('a source that does not answer is waited for', async () => {
    const a = world.target('a');
    world.tableFault = new ServiceFault('ECONNREFUSED', 'connection refused', { class: 'network' });
    const worker = world.start();
    await world.clock.advance(120_000);
    expect([worker.end, worker.daemon.notReady()]).to.deep.equal([undefined, ['pipeline p starts: connection refused']]);
    world.tableFault = undefined;
    const tokens = world.write(5);
    await world.clock.advance(40_000);
    expect([worker.daemon.notReady(), missing(a.delivered, tokens)]).to.deep.equal([[], []]);
  });

  it('denied reads halt the pipeline, which looks again each 60 s; a few lines a minute', async () => {
    const a = world.target('a');
    world.streams.fate = call => (call.operation === 'read' ? denied('dynamodb:GetRecords') : 'pass');
    const worker = world.start();
    await world.clock.advance(600_000);
    expect([worker.end, worker.daemon.notReady()[0]]).to.deep.equal([
      undefined,
      'pipeline p halts: no permission for the stream on table orders in us-east-1: not authorized to perform dynamodb:GetRecords',
    ]);
    expect(world.log.lines.filter(({ level }) => level === 'error' || level === 'warn').length).to.be.below(25);
    expect([...world.leases.rows.values()].map(({ owner }) => owner)).to.deep.equal([undefined]);
    world.streams.fate = () => 'pass';
    const tokens = world.write(5);
    await world.clock.advance(70_000);
    expect([worker.daemon.notReady(), missing(a.delivered, tokens)]).to.deep.equal([[], []]);
  });

  it('denied for ninety seconds, then granted, while another pipeline runs', async () => {
    const [a, b] = [world.target('a'), world.target('b')];
    const process = new Mortal(world.clock);
    const pipelines = [
      world.pipeline({ sinks: { a: {} }, source: { table: 'denied' } }, process),
      { ...world.pipeline({ sinks: { b: {} } }, process), name: 'q' },
    ];
    world.tableFault = table => (table === 'denied' ? denied('dynamodb:DescribeTable') : undefined);
    const worker = world.start({ pipelines });
    const tokens = world.write(5);
    await world.clock.advance(90_000);
    expect([worker.end, missing(b.delivered, tokens), a.delivered.length]).to.deep.equal([undefined, [], 0]);
    expect(worker.daemon.status().pipelines.map(({ reason }) => reason !== undefined)).to.deep.equal([true, false]);
    expect(world.log.lines.filter(({ level }) => level === 'error')).to.have.length(1);
  });

  it('a table that was deleted: what its stream still holds is read, also after a restart', async () => {
    const a = world.target('a', {}, throttles);
    const worker = world.start();
    await world.clock.advance(2_000);
    world.tableFault = new ServiceFault('ResourceNotFoundException', 'Requested resource not found', { class: 'missing', status: 400 });
    const tokens = world.write(20);
    world.now.disable();
    await world.clock.advance(200_000);
    expect([worker.end, worker.daemon.notReady()]).to.deep.equal([undefined, []]);
    expect(worker.daemon.status().pipelines[0]?.reason).to.match(/the table is not there any more/);
    await world.kill(worker);
    const again = world.start();
    await world.clock.advance(30_000);
    a.behaviour = writesAll();
    await world.clock.advance(30_000);
    expect([again.end, missing(a.delivered, tokens)]).to.deep.equal([undefined, []]);
    await world.clock.advance(200_000);
    expect(again.daemon.notReady()[0]).to.match(/pipeline p halts: table orders in us-east-1 is not there/);
  });

  it('a sink cannot take the place of another under a name that was in use before: its own old place would come again, or the other’s be left out', async () => {
    const a = world.target('a');
    world.target('b');
    for (const sinks of [{ a: {} }, { b: { renamedFrom: 'a' } }] as const) {
      const worker = world.start({ sinks });
      world.write(10);
      await world.clock.advance(5_000);
      world.now.roll(world.now.open[0]?.id ?? '');
      await world.clock.advance(5_000);
      worker.stop();
      await world.clock.runUntil(worker.ended);
    }
    expect(await reasons(world.start({ sinks: { a: { renamedFrom: 'b' } } }))).to.deep.equal([
      'p: sink a cannot go on where b was, for its name had been in use before; give it a name that no sink has had, or leave out renamedFrom',
    ]);
    expect(a.delivered).to.have.length(10);
  });
});
