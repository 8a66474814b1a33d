import { expect } from 'chai';
import { DaemonWorld } from '../../fakes/daemon-world.ts';

describe('a stream of more shards than one call lists', () => {
  for (const childFilter of ['served', 'unsupported'] as const) {
    it(`rolls of many shards at once ${childFilter === 'served' ? 'cost no listing' : 'are found by listings where there is no filter'}`, async () => {
      const world = new DaemonWorld({ childFilter }, { roots: 150 });
      const target = world.target('eu');
      world.start();
      await world.clock.advance(5_000);
      const tokens = world.write(300, 300);
      for (const { id } of world.now.open.slice(0, 4)) world.now.roll(id);
      tokens.push(...world.write(300, 300));
      const { describe: before } = world.streams.calls;
      await world.clock.advance(15_000);
      expect(new Set(target.delivered.map(({ token }) => token)).size).to.equal(tokens.length);
      const listings = world.streams.calls.describe - before;
      if (childFilter === 'served') expect(listings).to.equal(0);
      else expect(listings).to.be.above(0);
      await world.stopAll();
    });
  }
});
