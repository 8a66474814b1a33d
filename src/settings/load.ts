/**
 * Loads the settings: files laid over each other, then `--set`, then references looked up; convict checks the process's part, zod the pipelines; all
 * mistakes are thrown at once. What comes out has every default filled in and is frozen.
 */
import { readFileSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import { secretCutter } from '../model/secrets.ts';
import { environmentOverrides } from './environment.ts';
import { Findings } from './findings.ts';
import { json5Tree } from './json5-tree.ts';
import { pipelineSettings } from './pipelines-part.ts';
import { type Problem, SettingsError } from './problem.ts';
import { processSettings } from './process-part.ts';
import { processOptions } from './process-schema.ts';
import { redacted } from './redaction.ts';
import { resolveReferences } from './references.ts';
import { applySetArguments } from './set-arguments.ts';
import type { LoadedSettings, Settings } from './settings.ts';
import { emptyMap, layOver, type TreeNode } from './tree.ts';
import { yamlTree } from './yaml-tree.ts';

export interface LoadOptions {
  /** Later ones win. One that was read already comes with its text; the file `-` is standard input, YAML or JSON. */
  readonly files: readonly (string | { readonly file: string; readonly text: string })[];
  /** `--set` arguments, over the files. */
  readonly set?: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** False: `${…}` is left as it stands, for a check where the secrets are not there. */
  readonly lookUpSecrets?: boolean;
}

/** Throws a SettingsError with everything that is wrong. */
export async function loadSettings({ files, set = [], env, lookUpSecrets = true }: LoadOptions): Promise<LoadedSettings> {
  const read = files.map(fileTree);
  throwIfAny(read.flatMap(({ problems }) => problems));
  const merged = read.map(({ tree }) => tree).reduce(layOver, emptyMap({ argument: '--set' }));
  const overlaid = applySetArguments(merged, set);
  const referenced = resolveReferences(overlaid.tree, { env, lookUp: lookUpSecrets });
  const findings = new Findings(referenced.tree);
  findings.problems.push(...overlaid.problems, ...referenced.problems);

  const variables = new Set(Array.from(processOptions().values(), option => option.env));
  const overrides = environmentOverrides(env, variables, referenced.variables);
  const process = processSettings(findings, overrides.env);
  const folders = [...new Set(files.map(nameOf).map(file => dirname(resolve(file))))];
  const { pipelines, warnings } = await pipelineSettings(findings, { limits: process.limits, state: process.state, folders, env });
  throwIfAny(findings.problems, referenced.secrets);

  const settings: Settings = { ...process, pipelines };
  return {
    settings: deepFrozen(settings),
    ...redacted(settings, referenced.tree, referenced.secrets),
    warnings: [...overrides.warnings, ...warnings],
  };
}

function throwIfAny(problems: readonly Problem[], secrets: Iterable<string> = []): void {
  if (problems.length === 0) return;
  const cut = secretCutter(secrets);
  throw new SettingsError(problems.map(problem => ({ ...problem, message: cut(problem.message) })));
}

const READERS: Readonly<Record<string, typeof yamlTree>> = {
  '.yaml': yamlTree,
  '.yml': yamlTree,
  '.json': json5Tree,
  '.json5': json5Tree,
};

const nameOf = (given: LoadOptions['files'][number]): string => (typeof given === 'string' ? given : given.file);

function fileTree(given: LoadOptions['files'][number]): { readonly tree: TreeNode; readonly problems: readonly Problem[] } {
  const file = nameOf(given);
  const place = { file, line: 1, column: 1 };
  const failed = (message: string) => ({ tree: emptyMap(place), problems: [{ place, path: '', message }] });
  const isStandardInput = file === '-' && typeof given !== 'string';
  const read = isStandardInput ? yamlTree : READERS[extname(file).toLowerCase()];
  if (read === undefined) return failed('expected a file named .yaml, .yml, .json or .json5, or - for standard input');
  const text = typeof given === 'string' ? fileText(file) : withoutMark(given.text);
  if (typeof text !== 'string') return failed(text.problem);
  try {
    return mapOr(failed, read(text, file));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return failed('nested too deeply');
  }
}

type Made = ReturnType<typeof yamlTree>;

function mapOr(failed: (message: string) => Made, made: Made): Made {
  return made.problems.length > 0 || made.tree.kind === 'map' ? made : failed('expected a map of settings');
}

/** A byte order mark is no part of the text. */
const withoutMark = (text: string): string => text.replace(/^\uFEFF/, '');

function fileText(file: string): string | { readonly problem: string } {
  try {
    return withoutMark(readFileSync(file, 'utf8'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return { problem: code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code})` };
  }
}

/** Plain objects and lists; what a connector made of its options otherwise, and the connector itself, stay as they are. */
function deepFrozen<T>(value: T): T {
  if (Array.isArray(value)) for (const item of value) deepFrozen(item);
  else if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  else for (const [key, inner] of Object.entries(value)) if (key !== 'connector') deepFrozen(inner);
  return Object.freeze(value);
}
