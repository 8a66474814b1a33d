/**
 * What happens to one target is no other's business: one is down, one hangs, one takes half of what comes, one loses its answers. `FAULT_SECONDS=60` for
 * longer; `npm run soak -- isolation` for the long form.
 */
import { expect } from 'chai';
import { amount } from './numbers.ts';
import { type Fault, held, lagsByPhase, type Phase, playPhase } from './phases.ts';
import { closeShops, openShop } from './shop.ts';
import { type Line, stage } from './stage.ts';
import { expectComplete, verdictsOf } from './verdicts.ts';
import { delivering, idle, sinkOf } from './waiting.ts';

const SECONDS = amount('FAULT_SECONDS', 6);
const PER_SECOND = amount('RATE', 150);
/** So that a backlog of seconds is more than what a reading and a window hold: the hurt sink falls behind. */
const PAD_BYTES = 2000;
const WINDOW = { windowBytes: 256 * 1024 };

describe('isolation', function () {
  this.timeout(180_000 + SECONDS * 10_000);
  afterEach(closeShops);

  it(`a target that is down, hangs, is slow or loses answers for ${SECONDS} s does not delay the others, and is complete afterwards`, async () => {
    const { lines } = await stage();
    const by = (line: Line, mode: Parameters<(typeof lines)[Line]['mode']>[0]) => ({
      begin: () => lines[line].mode(mode),
      end: () => lines[line].mode('pass'),
    });
    // Three partitions, five records each time: half of the load at most.
    const delayMs = Math.round((15 / (PER_SECOND / 2)) * 1000);
    const faults: readonly Fault[] = [
      { name: 'no fault', hurt: undefined, begin: async () => {}, end: async () => {} },
      { name: 'replica down', hurt: 'eu', ...by('replica', 'refuse') },
      { name: 'Kinesis hangs', hurt: 'changes', ...by('kinesis', 'hang') },
      { name: 'Kafka at half speed', hurt: 'events', ...by('kafka', { delayMs }) },
      { name: 'archive loses answers', hurt: 'archive', ...by('s3', 'drop-answers') },
    ];
    const slowly = { ...WINDOW, timeoutSeconds: 3, maximumBackoffSeconds: 1 };
    const shop = await openShop({ more: { eu: slowly, changes: slowly, events: { ...WINDOW, batchSize: 5 }, archive: slowly } });
    const daemon = await shop.open();
    const writer = shop.writer({ padBytes: PAD_BYTES });
    const kafka = await shop.watch();
    const load = { writer, perSecond: PER_SECOND, seconds: SECONDS };
    await playPhase(shop, { name: 'warm up', hurt: undefined, begin: async () => {}, end: async () => {} }, { ...load, seconds: 2 });
    await delivering(daemon);
    const phases: Phase[] = [];
    for (const fault of faults) {
      await idle(daemon, 60_000 + SECONDS * 2000);
      phases.push(await playPhase(shop, fault, load));
      if (fault.hurt) {
        const { state, reason, open } = (await sinkOf(daemon, fault.hurt)) ?? {};
        console.log(`        ${fault.name}: ${fault.hurt} was ${state}${reason ? ` (${reason})` : ''}, ${open} open`);
      }
    }
    await idle(daemon, 60_000 + SECONDS * 2000);
    const verdicts = await verdictsOf(shop, writer.history, kafka);
    expect(held(phases, await lagsByPhase(shop, phases, kafka.seen))).eql([]);
    expectComplete(verdicts);
  });
});
