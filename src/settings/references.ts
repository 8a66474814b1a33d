/**
 * `${env:NAME}` and `${file:/path}` in a text: secrets by reference, read once at start. What they stood for is remembered, so that it can be kept out
 * of every output. A literal `${` is written `$${`.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Place, Problem } from './problem.ts';
import { mapScalars, pathText, type ScalarNode, type TreeNode } from './tree.ts';

const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;

export interface ReferenceOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** False: references are recognised and left alone. */
  readonly lookUp: boolean;
}

export interface Referenced {
  readonly tree: TreeNode;
  readonly problems: readonly Problem[];
  /** What the references stood for. */
  readonly secrets: ReadonlySet<string>;
  /** Names of variables that are referred to. */
  readonly variables: ReadonlySet<string>;
}

/** The tree with every reference looked up. */
export function resolveReferences(root: TreeNode, { env, lookUp }: ReferenceOptions): Referenced {
  const problems: Problem[] = [];
  const secrets = new Set<string>();
  const variables = new Set<string>();

  const tree = mapScalars(root, (scalar, path): ScalarNode => {
    if (typeof scalar.value !== 'string' || !scalar.value.includes('${')) return scalar;
    const problemsBefore = problems.length;
    let referred = false;
    const value = scalar.value.replace(REFERENCE, (whole, body: string | undefined) => {
      if (body === undefined) return '${';
      referred = true;
      const name = /^env:(.+)$/.exec(body)?.[1];
      if (name !== undefined) variables.add(name);
      const found = whole.endsWith('}') ? lookedUp(body, { env, lookUp, folder: folderOf(scalar.place) }) : WRONG_FORM;
      if ('text' in found) {
        if (lookUp) secrets.add(found.text);
        return lookUp ? found.text : whole;
      }
      problems.push({ place: scalar.place, path: pathText(root, path), message: found.problem });
      return whole;
    });
    if (!referred) return { ...scalar, value };
    const failed = !lookUp || problems.length > problemsBefore;
    return { ...scalar, value, loose: true, reference: failed ? 'unresolved' : 'resolved' };
  });
  for (const secret of wholeTexts(tree)) secrets.add(secret);
  return { tree, problems, secrets, variables };
}

type Found = { readonly text: string } | { readonly problem: string };

const WRONG_FORM: Found = { problem: 'a reference is written ${env:NAME} or ${file:/path}, and a literal ${ is written $${' };

function lookedUp(body: string, { env, lookUp, folder }: ReferenceOptions & { readonly folder: string }): Found {
  const [, kind, name = ''] = /^(env|file):(.+)$/s.exec(body) ?? [];
  if (kind === undefined) return WRONG_FORM;
  if (!lookUp) return { text: '' };
  if (kind === 'file') return fileText(resolve(folder, name), name);
  const text = env[name];
  if (text === undefined) return { problem: `environment variable ${name} is not set` };
  return text === '' ? { problem: `environment variable ${name} is empty` } : { text };
}

function fileText(path: string, name: string): Found {
  try {
    const text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    return text === '' ? { problem: `file ${name} is empty` } : { text };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return { problem: code === 'ENOENT' ? `file ${name} is missing` : `file ${name} cannot be read (${code ?? 'unknown error'})` };
  }
}

/** A relative path starts at the settings file that names it. */
function folderOf(place: Place): string {
  return 'file' in place ? dirname(resolve(place.file)) : process.cwd();
}

function wholeTexts(tree: TreeNode): string[] {
  const texts: string[] = [];
  mapScalars(tree, scalar => {
    if (scalar.reference === 'resolved') texts.push(String(scalar.value));
    return scalar;
  });
  return texts;
}
