/**
 * `--set a.b=c`: one setting from the command line. A step into a list is an entry's name (`pipelines.orders.sinks.eu.batchSize=50`) or its number; a
 * step with a dot in it is quoted. The value is text, which stands for a number or boolean where one is due; lists and maps are written as JSON.
 */
import { json5Tree } from './json5-tree.ts';
import type { Place, Problem } from './problem.ts';
import { childOf, emptyMap, mapScalars, type Path, replaceAt, type TreeNode } from './tree.ts';

const HERE: Place = { argument: '--set' };

export interface SetArgument {
  readonly steps: readonly string[];
  readonly value: string;
}

/** Undefined when it is not `path=value`. */
export function parseSetArgument(text: string): SetArgument | undefined {
  const match = /^((?:[^\s."=]+|"[^"]+")(?:\.(?:[^\s."=]+|"[^"]+"))*)=([\s\S]*)$/.exec(text);
  if (match === null) return undefined;
  const [, path = '', value = ''] = match;
  return { steps: Array.from(path.matchAll(/"([^"]+)"|[^."]+/g), m => m[1] ?? m[0]), value };
}

/** The tree with the arguments laid over it, in order. */
export function applySetArguments(
  root: TreeNode,
  texts: readonly string[],
): { readonly tree: TreeNode; readonly problems: readonly Problem[] } {
  let tree = root;
  const problems: Problem[] = [];
  for (const text of texts) {
    const argument = parseSetArgument(text);
    const outcome = argument === undefined ? 'not of the form path=value, as admin.port=0' : applied(tree, argument);
    if (typeof outcome !== 'string') tree = outcome;
    else problems.push({ place: HERE, path: argument?.steps.join('.') ?? '', message: outcome });
  }
  return { tree, problems };
}

function applied(root: TreeNode, { steps, value }: SetArgument): TreeNode | string {
  let tree = root;
  const path: (string | number)[] = [];
  let node: TreeNode | undefined = root;
  for (const [i, step] of steps.entries()) {
    if (node.kind === 'scalar') return `there is nothing below ${steps.slice(0, i).join('.')}`;
    const found = stepInto(node, step);
    if (found === undefined) return `no entry of that name; there are: ${names(node).join(', ') || 'none'}`;
    path.push(found);
    const next: TreeNode | undefined = childOf(node, found);
    node = next ?? emptyMap(HERE);
    if (next === undefined && i < steps.length - 1) tree = replaceAt(tree, path, node);
  }
  return replaceAt(tree, path, valueNode(value));
}

function stepInto(node: TreeNode, step: string): Path[number] | undefined {
  if (node.kind !== 'list') return step;
  const named = node.items.findIndex(item => nameOf(item) === step);
  if (named >= 0) return named;
  return /^\d{1,6}$/.test(step) && Number(step) < node.items.length ? Number(step) : undefined;
}

function nameOf(item: TreeNode): unknown {
  const name = childOf(item, 'name');
  return name?.kind === 'scalar' ? name.value : undefined;
}

function names(node: TreeNode): string[] {
  return node.kind === 'list' ? node.items.map((item, i) => String(nameOf(item) ?? i)) : [];
}

function valueNode(value: string): TreeNode {
  if (/^[[{]/.test(value)) {
    const { tree, problems } = json5Tree(value, '--set');
    if (problems.length === 0) return relocated(mapScalars(tree, scalar => ({ ...scalar, place: HERE })));
  }
  return { kind: 'scalar', place: HERE, value, loose: true };
}

function relocated(node: TreeNode): TreeNode {
  if (node.kind === 'scalar') return node;
  if (node.kind === 'list') return { ...node, place: HERE, items: node.items.map(relocated) };
  const entries = new Map(Array.from(node.entries, ([key, entry]) => [key, { place: HERE, node: relocated(entry.node) }]));
  return { ...node, place: HERE, entries };
}
