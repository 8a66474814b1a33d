/**
 * Many changes of 1 KB through all four sinks in bounded memory, also while one sink is stalled and the archive fills a file of a minute.
 * `CHANGES=100000 FILE_SECONDS=60` for more; `npm run soak -- memory` for the long form. Resident memory is printed at start, middle and end.
 */
import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import type { DaemonProcess } from '../run/daemon-process.ts';
import { amount } from './numbers.ts';
import { closeShops, openShop, type Shop } from './shop.ts';
import { stage } from './stage.ts';
import { expectComplete, print, verdictsOf } from './verdicts.ts';
import { awaited, idle, sinksOf, sleep } from './waiting.ts';

const CHANGES = amount('CHANGES', 5_000);
const PER_SECOND = amount('RATE', 1_000);
const FILE_SECONDS = amount('FILE_SECONDS', 5);
/** Of records held, by the settings; the process itself comes on top. */
const LIMIT_MIB = amount('MEMORY_MIB', 64);
/** Code, clients, records as objects, and what the collector has not come to: resident memory is some times the wire bytes held. It levels off. */
const HIGHEST_MIB = 400 + 2 * LIMIT_MIB;

const residentMiB = ({ child }: DaemonProcess): number =>
  Math.round(Number(execFileSync('ps', ['-o', 'rss=', '-p', String(child.pid)]).toString()) / 1024);

interface Watched {
  readonly start: number;
  readonly middle: number;
  readonly end: number;
  readonly highest: number;
}

/** Writes half, then the other half, looking at the daemon's memory twice a second. */
async function writeWatched(shop: Shop, daemon: DaemonProcess, settle: () => Promise<void>) {
  const writer = shop.writer({ padBytes: 600 });
  const start = residentMiB(daemon);
  let highest = start;
  const watch = setInterval(() => {
    highest = Math.max(highest, residentMiB(daemon));
  }, 500);
  const write = () => writer.write(CHANGES / 2, { perSecond: PER_SECOND, signal: AbortSignal.timeout(3_600_000) });
  await write();
  const middle = residentMiB(daemon);
  await write();
  await settle();
  clearInterval(watch);
  const watched: Watched = { start, middle, end: residentMiB(daemon), highest };
  return { writer, watched };
}

function expectBounded({ start, middle, end, highest }: Watched): void {
  print([
    ['changes', 'resident at start', 'middle', 'end', 'highest', 'limits.memoryMiB'],
    [String(CHANGES), ...[start, middle, end, highest].map(mib => `${mib} MiB`), String(LIMIT_MIB)],
  ]);
  expect(highest).below(HIGHEST_MIB);
  if (CHANGES >= 50_000) expect(end).below(1.25 * middle);
}

describe('memory', function () {
  this.timeout(180_000 + CHANGES * 10);
  afterEach(closeShops);

  it(`${CHANGES} changes of 1 KB into four sinks`, async () => {
    const shop = await openShop({ limits: { memoryMiB: LIMIT_MIB } });
    const daemon = await shop.open();
    const kafka = await shop.watch();
    const { writer, watched } = await writeWatched(shop, daemon, () => idle(daemon, 60_000 + CHANGES * 5));
    expectBounded(watched);
    expectComplete(await verdictsOf(shop, writer.history, kafka));
  });

  it(`${CHANGES} changes of 1 KB while Kinesis is stalled and the archive fills files of ${FILE_SECONDS} s`, async () => {
    const { lines } = await stage();
    const shop = await openShop({ limits: { memoryMiB: LIMIT_MIB }, more: { archive: { fileSeconds: FILE_SECONDS } } });
    const daemon = await shop.open();
    const kafka = await shop.watch();
    await lines.kinesis.mode('hang');
    const others = () =>
      awaited(
        daemon,
        'the others have everything',
        sinks => sinks.every(({ name, open, lagSeconds }) => name === 'changes' || (open === 0 && lagSeconds === 0)),
        120_000 + CHANGES * 5,
      );
    const { writer, watched } = await writeWatched(shop, daemon, async () => {
      await others();
      await sleep(1000);
      await others();
    });
    expectBounded(watched);
    const [stalled] = (await sinksOf(daemon)).filter(({ name }) => name === 'changes');
    console.log(`        Kinesis: ${stalled?.state}, ${stalled?.open} open, lag ${Math.round(stalled?.lagSeconds ?? 0)} s`);
    await lines.kinesis.mode('pass');
    await idle(daemon, 120_000 + CHANGES * 5);
    expectComplete(await verdictsOf(shop, writer.history, kafka));
  });
});
