/** Every interleaving of the short runs that break weaker rules: nothing goes wrong in any; with a weaker rule something does. `WORLDS=10000` tries longer ones. */
import { expect } from 'chai';
import type { Adapt } from '../../connectors/replica/open.ts';
import type { Condition } from '../../src/replication/versions.ts';
import { explore, type Told } from './replication/interleavings.ts';

const IS_LONG = Number(process.env['WORLDS'] ?? 0) >= 10_000;
const ALWAYS: Condition = { ConditionExpression: 'attribute_not_exists(#never)', ExpressionAttributeNames: { '#never': 'never' } };
const NEVER: Condition = { ConditionExpression: 'attribute_exists(#never)', ExpressionAttributeNames: { '#never': 'never' } };

const RUNS: readonly (readonly [readonly Told[], number, number])[] = [
  [['put', 'remove'], 1, 1],
  [['put', 'scan', 'remove'], 0, 1],
  [['put', 'scan', 'remove'], 1, 0],
  [['put', 'scan', 'put'], 1, 0],
  [['put', 'scan', 'put'], 0, 1],
];
const LONG_RUNS: typeof RUNS = [
  [['put', 'remove', 'put'], 1, 1],
  [['put', 'put', 'remove'], 1, 1],
  [['put', 'scan', 'put'], 1, 1],
];

const WEAKENED: readonly (readonly [string, readonly Told[], number, number, Adapt])[] = [
  ['removals are not done again', ['put', 'remove'], 0, 1, rules => ({ ...rules, removeAgainIf: () => NEVER })],
  ['puts have no condition', ['put', 'scan', 'put'], 0, 0, rules => ({ ...rules, putIf: () => ALWAYS })],
  ['removals have no condition', ['put', 'remove', 'put'], 1, 1, rules => ({ ...rules, removeIf: () => ALWAYS })],
];

describe('all interleavings', () => {
  for (const mode of ['mirror', 'version'] as const) {
    const short = mode === 'mirror' ? RUNS : RUNS.slice(0, 2);
    for (const [told, kills, losses] of IS_LONG ? [...RUNS, ...LONG_RUNS] : short) {
      it(`of ${told.join(', ')} with ${kills} kill(s) and ${losses} lost request(s) end right (mode ${mode})`, async function () {
        this.timeout(IS_LONG ? 600_000 : 60_000);
        const { runs, wrong } = await explore({ mode, told, kills, losses });
        expect(wrong).to.equal(undefined);
        expect(runs).to.be.greaterThan(100);
      });
    }
  }

  for (const [what, told, kills, losses, adapt] of WEAKENED) {
    it(`notice when ${what}`, async function () {
      this.timeout(60_000);
      expect((await explore({ mode: 'mirror', told, kills, losses, adapt })).wrong).to.be.a('string');
    });
  }
});
