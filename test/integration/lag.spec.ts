/**
 * Lag per sink against a stream that is spoken over HTTP and gives true seconds (a local server cuts times to the minute): idle, while a target hangs,
 * catching up, paused, halted, and after a restart with all sinks paused. In real time, so that no clock of ours is held against itself.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { SinkFault } from '../../src/connector.ts';
import { hangs, writesAll } from '../fakes/pipeline-world.ts';
import { type StubRunning, StubSourceWorld, until } from '../fakes/stub-source-world.ts';

describe('lag, by true seconds over HTTP', function () {
  this.timeout(60_000);
  let world: StubSourceWorld;
  beforeEach(() => {
    world = new StubSourceWorld(['a', 'b']);
  });
  afterEach(() => world.close());

  /** By the stream's own time of the oldest record that is outstanding. */
  function expectLag(running: StubRunning, name: string, madeAt: number): void {
    const { lagSeconds, retentionLeftSeconds } = running.sink(name);
    const truth = (Date.now() - madeAt) / 1000;
    expect(lagSeconds, `lag of ${name}`).to.be.closeTo(truth, 0.1);
    expect(retentionLeftSeconds).to.be.closeTo(86_400 - truth, 0.1);
  }

  const expectNone = (running: StubRunning, name: string) =>
    expect([running.sink(name).lagSeconds, running.sink(name).retentionLeftSeconds], name).to.deep.equal([0, null]);

  const delivered = (count: number, names = ['a', 'b']) => until(() => names.every(name => world.target(name).delivered.length === count));

  it('is 0 while idle, exact while a target hangs, and 0 when it has caught up', async () => {
    const running = await world.start();
    world.stream.write(5);
    await delivered(5);
    await sleep(1_500);
    expectNone(running, 'a');
    world.target('a').behaviour = hangs;
    const madeAt = world.stream.write(50);
    await until(() => (running.sink('a').open ?? 0) > 0);
    for (let n = 0; n < 3; n += 1) {
      await sleep(700);
      expectLag(running, 'a', madeAt);
      expectNone(running, 'b');
    }
    world.target('a').behaviour = writesAll(100);
    await until(() => running.sink('a').lagSeconds === 0);
    expect(world.target('a').delivered).to.have.length(55);
  });

  it('counts while paused, from what came meanwhile; all paused and started again with everything it is 0, not the age of the last record', async () => {
    let running = await world.start();
    world.stream.write(5);
    await delivered(5);
    for (const name of ['a', 'b']) await running.work.pause('p', name);
    await sleep(1_500);
    for (const name of ['a', 'b']) expectNone(running, name);
    running = await world.start();
    await until(() => running.sink('a').state === 'paused' && running.sink('a').lagSeconds === 0);
    await sleep(1_500);
    for (const name of ['a', 'b']) expectNone(running, name);
    const madeAt = world.stream.write(3);
    await sleep(1_200);
    world.stream.write(3);
    await sleep(1_200);
    for (const name of ['a', 'b']) expectLag(running, name, madeAt);
    running = await world.start();
    await until(() => running.sink('a').state === 'paused');
    await sleep(1_000);
    for (const name of ['a', 'b']) expectLag(running, name, madeAt);
    await running.work.resume('p', 'a');
    await delivered(11, ['a']);
    await until(() => running.sink('a').lagSeconds === 0);
    expectLag(running, 'b', madeAt);
  });

  it('counts while halted, also of a sink that has never been open', async () => {
    world.target('b').refuseOpen = new SinkFault('halt', 'no such table', { heals: true });
    const madeAt = world.stream.write(5);
    const running = await world.start();
    await delivered(5, ['a']);
    await sleep(1_200);
    expect(running.sink('b')).to.include({ state: 'halted', reason: 'no such table' });
    expectLag(running, 'b', madeAt);
    expectNone(running, 'a');
    world.target('b').refuseOpen = undefined;
    await running.work.resume('p', 'b');
    await delivered(5, ['b']);
    await until(() => running.sink('b').lagSeconds === 0);
  });
});
