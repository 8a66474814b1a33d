/**
 * A checker that never fired proves nothing: each weakened rule of the engine must be caught by the simulation, by the law that it breaks, within a bounded
 * number of seeds; and the engine as it is holds its laws at the very seed that caught it. `SEEDS=n`: over that many seeds from 1, not only to the first
 * catch, to see how good worlds and checkers are.
 */
import { expect } from 'chai';
import { type Mutation, real, shownBy, weakened } from './mutations/mutation.ts';
import { progress } from './mutations/progress.ts';
import { rights } from './mutations/rights.ts';
import { sharing } from './mutations/sharing.ts';

const SEEDS = process.env['SEEDS'] === undefined ? undefined : Number(process.env['SEEDS']);
const mutations = [...progress, ...sharing, ...rights];

async function caughtSoon(mutation: Mutation): Promise<string> {
  const { law, seeds, from = 1 } = mutation;
  const simulation = await weakened(mutation);
  const others = new Set<string>();
  for (let seed = from; seed < from + seeds; seed++) {
    const shown = await shownBy(simulation, seed);
    if (shown !== undefined) others.add(shown.law);
    if (shown?.law !== law) continue;
    expect(await shownBy(real(mutation), seed), 'the engine as it is').to.equal(undefined);
    return `${seed - from + 1} of ${seeds} seeds from ${from}: ${shown.message.split('\n')[0]}`;
  }
  throw new Error(`${seeds} seeds from ${from} do not break ${law}${others.size > 0 ? `, but ${[...others].join(', ')}` : ''}`);
}

async function howOften(mutation: Mutation, seeds: number): Promise<string> {
  const simulation = await weakened(mutation);
  const times = new Map<string, number>();
  for (let seed = 1; seed <= seeds; seed++) {
    const law = (await shownBy(simulation, seed))?.law;
    if (law !== undefined) times.set(law, (times.get(law) ?? 0) + 1);
  }
  expect(times.get(mutation.law) ?? 0, `seeds of ${seeds} that break ${mutation.law}`).to.be.above(0);
  return [...times].map(([law, n]) => `${law} in ${n} of ${seeds} seeds`).join(', ');
}

describe('simulation: weakened rules are caught', function () {
  this.timeout(3_600_000);
  const found: string[] = [];

  for (const mutation of mutations) {
    it(`${mutation.law}: ${mutation.name}`, async () => {
      const how = SEEDS === undefined ? await caughtSoon(mutation) : await howOften(mutation, SEEDS);
      found.push(`${mutation.name} (${mutation.world}): ${how}`);
    });
  }

  it('there is one for each of the eight laws', () => {
    const laws = new Set(mutations.map(({ law }) => law));
    for (let n = 1; n <= 8; n++) expect([...laws]).to.include(`law ${n}`);
  });

  after(() => console.log(found.map(line => `      ${line}`).join('\n')));
});
