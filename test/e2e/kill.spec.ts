/**
 * kill -9 at seeded moments with all four sinks attached, while the application goes on writing: nothing is lost, nothing is out of order, the archive has
 * each change once. `KILLS=20 SEED=7` for other numbers; `npm run soak -- kill` for the long form.
 */
import { amount, seeded } from './numbers.ts';
import { closeShops, openShop } from './shop.ts';
import { expectComplete, verdictsOf } from './verdicts.ts';
import { delivering, idle, sleep } from './waiting.ts';

const KILLS = amount('KILLS', 5);
const SEED = amount('SEED', 8);
const PER_SECOND = amount('RATE', 150);

describe('kill -9', function () {
  this.timeout(60_000 + KILLS * 20_000);
  afterEach(closeShops);

  it(`${KILLS} times at seeded moments (seed ${SEED}): 0 lost, 0 out of order, the archive exactly once`, async () => {
    const random = seeded(SEED);
    const shop = await openShop();
    const writer = shop.writer();
    const kafka = await shop.watch();
    const enough = new AbortController();
    const writing = writer.write(Number.MAX_SAFE_INTEGER, { perSecond: PER_SECOND, signal: enough.signal });
    const moments: string[] = [];
    for (let kills = 0; kills < KILLS; kills += 1) {
      const daemon = shop.launch();
      // One in four dies while it starts or waits for the lease, the others at work.
      const atWork = random() < 0.75;
      if (atWork) await delivering(daemon);
      const waitMs = Math.round(random() * 1500);
      await sleep(waitMs);
      await daemon.kill();
      moments.push(`${waitMs} ms after ${atWork ? 'the first records' : 'its start'}`);
    }
    console.log(`        killed ${moments.join(', ')}`);
    const daemon = shop.launch();
    await delivering(daemon);
    enough.abort();
    await writing;
    await idle(daemon);
    expectComplete(await verdictsOf(shop, writer.history, kafka));
  });
});
