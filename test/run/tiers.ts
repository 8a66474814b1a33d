/** The tiers of tests and which files are theirs. Files are found by their place and name, so that a new test is added by being there. */
import { globSync } from 'node:fs';

export interface Tier {
  readonly name: string;
  readonly files: () => readonly string[];
  /** How mocha prints it. */
  readonly style: 'dot' | 'spec';
  /** It is ended, and has failed, when it takes longer. */
  readonly limitMs: number;
}

const CONNECTOR_CONTRACTS = 'connectors/*/*.contract.spec.ts';
const MINUTE_MS = 60_000;

export const UNIT: Tier = {
  name: 'tidy and unit',
  style: 'dot',
  limitMs: 3 * MINUTE_MS,
  files: () => {
    const contracts = new Set(globSync(CONNECTOR_CONTRACTS));
    return found('test/tidy.spec.ts', 'test/unit/**/*.spec.ts', 'connectors/*/*.spec.ts').filter(file => !contracts.has(file));
  },
};

export const TIERS: readonly Tier[] = [
  UNIT,
  { name: 'contract', style: 'spec', limitMs: 6 * MINUTE_MS, files: () => found('test/contract/**/*.spec.ts', CONNECTOR_CONTRACTS) },
  { name: 'simulation', style: 'spec', limitMs: 6 * MINUTE_MS, files: () => found('test/simulation/**/*.spec.ts') },
  { name: 'integration', style: 'spec', limitMs: 8 * MINUTE_MS, files: () => found('test/integration/**/*.spec.ts') },
  { name: 'e2e', style: 'spec', limitMs: 10 * MINUTE_MS, files: () => found('test/e2e/**/*.spec.ts') },
];

function found(...patterns: readonly string[]): readonly string[] {
  return patterns.flatMap(pattern => globSync(pattern).sort());
}
