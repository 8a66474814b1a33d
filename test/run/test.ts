/**
 * `npm test`: builds, then runs every tier, one after the other (two cores: tests that measure time are not to be disturbed). The last line says
 * `N passed, N failed, N skipped`; what failed is said once more before it, since a log may be kept by its end only. `npm test -- unit e2e` runs the
 * tiers whose names hold one of these words.
 */
import { build } from './build.ts';
import { endOnSignal } from './steps.ts';
import { type Counts, type Failure, runTier } from './tier-run.ts';
import { TIERS } from './tiers.ts';

endOnSignal();
const words = process.argv.slice(2);
const tiers = TIERS.filter(({ name }) => words.length === 0 || words.some(word => name.includes(word)));
if (tiers.length === 0) throw new Error(`No such tier: ${words.join(' ')}. There are: ${TIERS.map(({ name }) => name).join(', ')}`);

const ERROR_LINES = 12;
const broken: Failure[] = [];
const results: (Counts & { name: string; seconds: number })[] = [];
const buildStart = performance.now();
const built = await build();
results.push({ name: 'build', seconds: seconds(buildStart), passed: 0, failed: built ? 0 : 1, skipped: 0 });

for (const tier of tiers) {
  console.log(`\n=== ${tier.name}`);
  const start = performance.now();
  const { counts, failures } = await runTier(tier, 'show');
  broken.push(...failures);
  results.push({ name: tier.name, seconds: seconds(start), ...counts });
}

for (const { title, error } of broken) {
  const lines = error.split('\n').slice(0, ERROR_LINES);
  console.log(`\nfailed: ${title}\n${lines.map(line => `    ${line}`).join('\n')}`);
}
console.log('');
for (const { name, seconds, passed, failed, skipped } of results) {
  const counts = name === 'build' ? (failed ? 'failed' : 'done') : `passed ${passed}  failed ${failed}  skipped ${skipped}`;
  console.log(`${name.padEnd(14)} ${String(seconds).padStart(5)} s  ${counts}`);
}
const total = (field: keyof Counts) => results.reduce((sum, result) => sum + result[field], 0);
console.log(`\n${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`);
process.exitCode = total('failed') > 0 || total('passed') === 0 ? 1 : 0;

function seconds(since: number): number {
  return Math.round(performance.now() - since) / 1000;
}
