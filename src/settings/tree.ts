/**
 * A settings file as a tree whose every node knows its place. Files, `--set` arguments and references to secrets all become such trees, are laid over
 * each other, and only then turn into plain values for the schemas; so every mistake can be reported where it was written.
 */
import type { Place } from './problem.ts';

export type Path = readonly (string | number)[];

export interface MapNode {
  readonly kind: 'map';
  readonly place: Place;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  /** Of the key. */
  readonly place: Place;
  readonly node: TreeNode;
}

export interface ListNode {
  readonly kind: 'list';
  readonly place: Place;
  readonly items: readonly TreeNode[];
}

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly place: Place;
  readonly value: string | number | boolean | null;
  /** A text that was never quoted by anybody (an argument, a referenced secret): it may stand for a number or boolean. */
  readonly loose?: true;
  /** A date without quotes, as it was written. */
  readonly date?: true;
  /** It came from `${…}`: never shown. `unresolved`: it was not looked up, and stands for itself. */
  readonly reference?: 'resolved' | 'unresolved';
}

export type TreeNode = MapNode | ListNode | ScalarNode;

export function emptyMap(place: Place): MapNode {
  return { kind: 'map', place, entries: new Map() };
}

/** What the schemas see. `__proto__` stays an ordinary own property. */
export function plainOf(node: TreeNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plainOf);
  return Object.fromEntries(Array.from(node.entries, ([key, entry]) => [key, plainOf(entry.node)]));
}

export function childOf(node: TreeNode | undefined, step: PropertyKey): TreeNode | undefined {
  if (node?.kind === 'map') return node.entries.get(String(step))?.node;
  if (node?.kind === 'list') return node.items[Number(step)];
  return undefined;
}

/** The number that a scalar is, or that a loose text spells. */
export function numberOf(node: TreeNode | undefined): number | undefined {
  if (node?.kind !== 'scalar') return undefined;
  const number = node.loose === true ? Number(node.value) : node.value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

export function nodeAt(root: TreeNode, path: Path): TreeNode | undefined {
  return path.reduce<TreeNode | undefined>(childOf, root);
}

/** The place of a path, or of the deepest node on the way to it. */
export function placeAt(root: TreeNode, path: Path): Place {
  let node = root;
  for (const step of path) {
    const next = childOf(node, step);
    if (next === undefined) break;
    node = next;
  }
  return node.place;
}

/** Dots between, list entries by their names where these are not secret. */
export function pathText(root: TreeNode, path: Path): string {
  return path.map((step, i) => (typeof step === 'number' ? entryName(nodeAt(root, path.slice(0, i + 1)), step) : step)).join('.');
}

function entryName(node: TreeNode | undefined, index: number): string {
  const name = childOf(node, 'name');
  const text = name?.kind === 'scalar' && name.reference === undefined && typeof name.value === 'string' ? name.value : '';
  return /^[\w-]{1,64}$/.test(text) ? text : String(index);
}

/** The upper tree wins: maps are laid over each other key by key, everything else is replaced whole. */
export function layOver(lower: TreeNode, upper: TreeNode): TreeNode {
  if (lower.kind !== 'map' || upper.kind !== 'map') return upper;
  const entries = new Map(lower.entries);
  for (const [key, entry] of upper.entries) {
    const below = entries.get(key);
    entries.set(key, below === undefined ? entry : { place: entry.place, node: layOver(below.node, entry.node) });
  }
  return { kind: 'map', place: upper.place, entries };
}

/** The same tree with another node (or none) at a path whose parent exists. */
export function replaceAt(root: TreeNode, path: Path, node: TreeNode | undefined): TreeNode {
  const [step, ...rest] = path;
  if (step === undefined) return node ?? root;
  if (root.kind === 'list') {
    return {
      ...root,
      items: root.items.flatMap((item, i) => (i === step ? (rest.length === 0 && !node ? [] : [replaceAt(item, rest, node)]) : [item])),
    };
  }
  if (root.kind !== 'map') return root;
  const key = String(step);
  const entry = root.entries.get(key);
  const entries = new Map(root.entries);
  if (rest.length === 0 && node === undefined) entries.delete(key);
  else if (rest.length === 0 && node !== undefined) entries.set(key, { place: entry?.place ?? node.place, node });
  else if (entry !== undefined) entries.set(key, { place: entry.place, node: replaceAt(entry.node, rest, node) });
  return { ...root, entries };
}

/** Where the scalars are that are so. */
export function scalarPaths(node: TreeNode, isSo: (scalar: ScalarNode) => boolean, path: Path = []): Path[] {
  if (node.kind === 'scalar') return isSo(node) ? [path] : [];
  if (node.kind === 'list') return node.items.flatMap((item, i) => scalarPaths(item, isSo, [...path, i]));
  return Array.from(node.entries).flatMap(([key, entry]) => scalarPaths(entry.node, isSo, [...path, key]));
}

/** Every scalar, replaced by what `f` makes of it. */
export function mapScalars(node: TreeNode, f: (scalar: ScalarNode, path: Path) => ScalarNode, path: Path = []): TreeNode {
  if (node.kind === 'scalar') return f(node, path);
  if (node.kind === 'list') return { ...node, items: node.items.map((item, i) => mapScalars(item, f, [...path, i])) };
  const entries = new Map(
    Array.from(node.entries, ([key, entry]) => [key, { place: entry.place, node: mapScalars(entry.node, f, [...path, key]) }]),
  );
  return { ...node, entries };
}
