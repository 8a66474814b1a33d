import { expect } from 'chai';
import { z } from 'zod';
import type { Connector, Sink } from '../../../src/connector.ts';
import { OpenSink } from '../../../src/pipeline/open-sink.ts';
import { DELIVERY, TRAITS } from '../../fakes/pipeline-world.ts';
import { testHost } from '../../fakes/test-host.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';

const OPEN_MS = 300;
const CLOSE_MS = 800;

/** A connector whose opens and closes take time, and a sink over it. */
async function world() {
  const clock = virtualClock();
  const none = new AbortController().signal;
  const targets: (Sink & { closes: number; destroyed: Promise<void> })[] = [];
  const connector: Connector<unknown> = {
    schema: z.unknown(),
    traits: () => TRAITS,
    async open() {
      await clock.sleep(OPEN_MS, none);
      const { promise: destroyed, resolve } = Promise.withResolvers<void>();
      const target = {
        closes: 0,
        destroyed,
        write: () => Promise.reject(new Error('not of this test')),
        async close() {
          target.closes += 1;
          resolve();
          await clock.sleep(CLOSE_MS, none);
        },
      };
      targets.push(target);
      return target;
    },
  };
  const host = testHost({ clock });
  const fatal: string[] = [];
  const parts = { name: 'eu', type: 'x', connector, options: {}, delivery: DELIVERY, host, clock, log: host.log };
  const sink = new OpenSink({ ...parts, fatal: error => fatal.push(error.message) });
  const opened = sink.open();
  await clock.advance(OPEN_MS);
  await opened;
  return { clock, sink, targets, fatal };
}

describe('pipeline/open-sink: writes that do not settle', () => {
  it('two of them have the target closed and opened anew once: the new one is not left without anybody to close it', async () => {
    const { clock, sink, targets, fatal } = await world();
    const { target } = sink;
    const first = Promise.withResolvers<void>();
    const waits = [sink.waitForUnsettled(first.promise, target), sink.waitForUnsettled(targets[0]?.destroyed ?? first.promise, target)];
    await clock.advance(10_000);
    first.resolve();
    await clock.advance(CLOSE_MS + 2 * OPEN_MS);
    await Promise.all(waits);
    expect(sink.state).to.equal('open');
    expect(targets.map(({ closes }) => closes)).to.deep.equal([1, 0]);
    expect(sink.target).to.equal(targets[1]);
    expect(fatal).to.deep.equal([]);
  });

  it('one that outlives the target it was given to does not disturb the next one', async () => {
    const { clock, sink, targets } = await world();
    const { target } = sink;
    const late = Promise.withResolvers<void>();
    const wait = sink.waitForUnsettled(late.promise, target);
    sink.resume();
    await clock.advance(CLOSE_MS + OPEN_MS);
    expect(sink.target).to.equal(targets[1]);
    late.resolve();
    await wait;
    await clock.advance(10_000);
    expect(targets.map(({ closes }) => closes)).to.deep.equal([1, 0]);
  });

  it('one that outlives its run holds back every other write of the sink until it settles, and says when', async () => {
    const { sink } = await world();
    const late = Promise.withResolvers<void>();
    let changes = 0;
    sink.watch(() => {
      changes += 1;
    });
    sink.outlived(late.promise);
    expect([sink.state, sink.takesWrites]).to.deep.equal(['open', false]);
    late.resolve();
    await late.promise;
    expect([sink.takesWrites, changes]).to.deep.equal([true, 1]);
  });
});
