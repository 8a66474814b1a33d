/** The files of the repository and their syntax, read once for all the house rules. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ParseResult, parseSync } from 'oxc-parser';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NOT_OURS = new Set(['node_modules', 'dist', '.git', '.cache']);

export interface Source {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly syntax: ParseResult;
}

/** Every file that is ours, tracked or not yet. */
export const allPaths: readonly string[] = globSync('**/*', { cwd: ROOT, withFileTypes: true, exclude: ({ name }) => NOT_OURS.has(name) })
  .filter(entry => entry.isFile() && !entry.name.endsWith('.log'))
  .map(entry => join(entry.parentPath, entry.name).slice(ROOT.length))
  .sort();

export const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** A source from its text; the tests of the rules themselves make theirs up. */
export function parse(path: string, text: string): Source {
  const syntax = parseSync(path, text);
  const [error] = syntax.errors;
  if (error) throw new Error(`${path} cannot be parsed: ${error.message}`);
  return { path, text, syntax };
}

export const isTest = (path: string): boolean => path.startsWith('test/') || /\.spec\.ts$/.test(path);

export const sources: readonly Source[] = allPaths.filter(path => /\.(ts|mjs)$/.test(path)).map(path => parse(path, textOf(path)));

/** What runs in production. */
export const product: readonly Source[] = sources.filter(({ path }) => /^(src|connectors)\//.test(path) && !isTest(path));
