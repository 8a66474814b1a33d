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

export interface TierResult {
  readonly counts: Counts;
  readonly output: string;
}

/** A mocha that ends badly without a failed test (a file that does not load, a crash, something left open) counts as one failure. */
export async function runTier(tier: Tier, output: StepOptions['output']): Promise<TierResult> {
  const files = tier.files();
  if (files.length === 0) return { counts: { passed: 0, failed: 0, skipped: 0 }, output: '' };
  const folder = temporaryFolder('tier');
  const result = join(folder, 'counts.json');
  const reporter = ['--reporter', 'test/run/reporter.mjs', '--reporter-option', `style=${tier.style},result=${result}`];
  const ran = await step(TOOLS.mocha, [...reporter, ...files], { output, limitMs: tier.limitMs });
  const counts = read(result);
  await removeFolder(folder);
  if (ran.ok || counts.failed > 0) return { counts, output: ran.output };
  const note = `The tests of "${tier.name}" ended badly: ${ran.end}\n`;
  if (output === 'show') process.stderr.write(note);
  return { counts: { ...counts, failed: 1 }, output: ran.output + note };
}

function read(file: string): Counts {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}
