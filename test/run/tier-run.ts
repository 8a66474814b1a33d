/** Runs one tier of tests in a mocha process of its own and tells the counts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../servers/child.ts';
import { type StepOptions, step, TOOLS } from './steps.ts';
import type { Tier } from './tiers.ts';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** One test that failed: its whole title, and what was thrown with its stack. */
export interface Failure {
  readonly title: string;
  readonly error: string;
}

export interface TierResult {
  readonly counts: Counts;
  readonly failures: readonly Failure[];
  readonly output: string;
}

const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 };

/** A mocha that ends badly without a failed test (a file that does not load, a crash, something left open) counts as one failure. */
export async function runTier(tier: Tier, output: StepOptions['output']): Promise<TierResult> {
  const files = tier.files();
  if (files.length === 0) return { counts: NOTHING, failures: [], output: '' };
  const folder = temporaryFolder('tier');
  const result = join(folder, 'counts.json');
  const reporter = ['--reporter', 'test/run/reporter.mjs', '--reporter-option', `style=${tier.style},result=${result}`];
  const ran = await step(TOOLS.mocha, [...reporter, ...files], { output, limitMs: tier.limitMs });
  const { failures, ...counts } = read(result);
  await removeFolder(folder);
  if (ran.ok || counts.failed > 0) return { counts, failures, output: ran.output };
  const note = `The tests of "${tier.name}" ended badly: ${ran.end}`;
  if (output === 'show') process.stderr.write(`${note}\n`);
  return { counts: { ...counts, failed: 1 }, failures: [{ title: tier.name, error: note }], output: `${ran.output}${note}\n` };
}

function read(file: string): Counts & { readonly failures: readonly Failure[] } {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { ...NOTHING, failures: [] };
  }
}
