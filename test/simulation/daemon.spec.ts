/** Whole daemons under seeds: shards that roll and split, outages, throttles, lying targets, crashes at any call, sinks that come and go. See sim.ts. */
import { simulateFleet } from './daemon/fleet.ts';
import { simulate } from './daemon/simulate.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 100);
const FROM = Number(process.env['SEED'] ?? 1);

describe('simulation: the daemon', function () {
  this.timeout(3_600_000);

  it(`holds its laws over ${SEEDS} seeds from ${FROM}`, async () => {
    for (let seed = FROM; seed < FROM + SEEDS; seed += 1) await simulate(seed);
  });

  it(`holds its laws with several workers over ${SEEDS} seeds from ${FROM}`, async () => {
    for (let seed = FROM; seed < FROM + SEEDS; seed += 1) await simulateFleet(seed);
  });

  it('seed 30: a sink that waits at a tip gets past what lies before it, however many pages that is', async () => {
    await simulate(30);
  });

  it('seed 21: a stop is not held up by a lease table that is away', async () => {
    await simulate(21);
  });

  it('seed 125: a shard that is gone is looked for once, not a minute for each place in it and once more for its end', async () => {
    await simulate(125);
  });

  it('seed 1360: reading again for sinks that are behind does not throttle the others out', async () => {
    await simulate(1360);
  });

  it('seed 6618: an iterator that expired while a throttle was waited out is not waited for as for another', async () => {
    await simulate(6618);
  });

  it('seed 6198: a stop waits for a gap that is being written down, or what lies behind it comes again', async () => {
    await simulate(6198);
  });

  it('seed 6215: a replaced stream is not given up while the rows of its shards have only just been made', async () => {
    await simulate(6215);
  });

  it('seed 5689 of several workers: a sink that was disabled until a replaced stream was gone is told what it lost', async () => {
    await simulateFleet(5689);
  });
});
