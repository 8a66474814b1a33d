/** A middlebox that loses its table: all connections open at that moment are silent for ever, new ones are fine. Nobody is told. */
import { expect } from 'chai';
import type { DaemonProcess } from '../run/daemon-process.ts';
import { closeShops, openShop } from './shop.ts';
import { stage } from './stage.ts';
import { expectComplete, verdictsOf } from './verdicts.ts';
import { awaited, delivering, idle } from './waiting.ts';

describe('forgotten connections', function () {
  this.timeout(120_000);
  afterEach(closeShops);

  it('of source, state and all targets: given up after their timeouts, opened anew, nothing lost, no lease lost for good', async () => {
    const { lines } = await stage();
    const soon = { timeoutSeconds: 3 };
    const shop = await openShop({
      leases: { durationSeconds: 10, renewSeconds: 3 },
      more: { eu: soon, changes: soon, events: soon, archive: soon },
    });
    const daemon = await shop.open();
    const writer = shop.writer();
    const write = () => writer.write(200, { perSecond: 200, signal: AbortSignal.timeout(30_000) });
    await write();
    await delivering(daemon);
    await idle(daemon);
    await Promise.all(Object.values(lines).map(line => line.mode('forget')));
    const from = performance.now();
    await write();
    await readBy(daemon, 400);
    const seconds = (performance.now() - from) / 1000;
    console.log(`        healed after ${Math.round(seconds)} s`);
    // The longest patience is that with a read of the stream.
    expect(seconds).below(30);
    expectComplete(await verdictsOf(shop, writer.history, await shop.watch()));
  });
});

/** Until a read has its answer nobody can know that there is more. */
async function readBy(daemon: DaemonProcess, records: number): Promise<void> {
  await awaited(daemon, `all sinks have read ${records}`, sinks => sinks.every(({ read }) => (read ?? 0) >= records), 60_000);
  await idle(daemon);
}
