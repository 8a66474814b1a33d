/**
 * The table of the 85 scenarios in test/simulation/README.md, held against the tests: each scenario stands there once, and is either a test whose title
 * begins with its name, in every file that the table names, or a line that says that it is not built, as long as no test bears its name.
 */
import { isTest, type Source } from './files.ts';

export interface Scenario {
  readonly number: number;
  readonly name: string;
  /** Undefined: not built. */
  readonly files: readonly string[] | undefined;
}

/** Rows `| 7 | `name` | `file`, `file`; a note |`, or `| 7 | `name` | not built: why |`. */
export function scenariosOf(document: string): readonly Scenario[] {
  return [...document.matchAll(/^\| (\d+) \| `([a-z0-9-]+)` \| (.+) \|$/gm)].map(([, number, name = '', cell = '']) => {
    const [held = ''] = cell.split(';');
    const files = [...held.matchAll(/`([^`]+\.spec\.ts)`/g)].map(([, path = '']) => path);
    return { number: Number(number), name, files: cell.startsWith('not built') ? undefined : files };
  });
}

/** What is not true of the table. */
export function scenarioFaults(scenarios: readonly Scenario[], sources: readonly Source[]): readonly string[] {
  const specs = sources.filter(({ path }) => isTest(path) && path.endsWith('.spec.ts'));
  const bears = ({ text }: Source, name: string) => new RegExp(`['"\`]${name}(?![a-z0-9-])`).test(text);
  return scenarios.flatMap(({ name, files }) => {
    const bearers = specs.filter(spec => bears(spec, name)).map(({ path }) => path);
    if (files === undefined) return bearers.map(path => `${name}: not built, says the table, but ${path} has a test of it`);
    if (files.length === 0) return [`${name}: the table names no test`];
    return files.filter(path => !bearers.includes(path)).map(path => `${name}: no test in ${path} bears its name`);
  });
}
