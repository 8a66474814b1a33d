/** Scenario 85, a day and more of workers that come and go, on the virtual clock. `HOURS` and `SEEDS` make it longer. */
import { expect } from 'chai';
import { simulateDays } from './daemon/fleet.ts';

const HOURS = Number(process.env['HOURS'] ?? 28);
const SEEDS = Number(process.env['SEEDS'] ?? 1);
const FROM = Number(process.env['SEED'] ?? 2);

describe('simulation: days', function () {
  this.timeout(3_600_000);

  it('soak-24h-fake-clock: shards roll each 4 h under crashes, freezes, throttles and joins; nothing is lost, the lease table stays small', async () => {
    for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
      const { rows, listed } = await simulateDays(seed, HOURS);
      // A row goes one pass after its shard has, and that of an ancestor stays until its child has been read in.
      expect(rows, `rows of ${listed} shards, seed ${seed}`).to.be.at.most(listed + 4);
    }
  });
});
