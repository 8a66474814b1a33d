/**
 * Gathers mistakes while a tree is checked, each with its place and its path. A value that was not looked up
 * (`validate --no-secrets`) has none, and a date has one, whatever its setting: readers of YAML do not agree on what it is.
 */
import type { Problem } from './problem.ts';
import { nodeAt, type Path, pathText, placeAt, scalarPaths, type TreeNode } from './tree.ts';

export class Findings {
  readonly problems: Problem[] = [];
  readonly root: TreeNode;

  constructor(root: TreeNode) {
    this.root = root;
    for (const path of scalarPaths(root, scalar => scalar.date === true)) {
      this.#add(path, 'a date without quotes; no setting takes a date: quote it to make it text');
    }
  }

  /** About the value at a path, or about what is missing there. */
  value(path: Path, message: string): void {
    const node = nodeAt(this.root, path);
    if (node?.kind === 'scalar' && (node.reference === 'unresolved' || node.date)) return;
    this.#add(path, message);
  }

  /** About the key that a path ends with. */
  key(path: Path, message: string): void {
    const parent = nodeAt(this.root, path.slice(0, -1));
    const entry = parent?.kind === 'map' ? parent.entries.get(String(path.at(-1))) : undefined;
    this.problems.push({ place: entry?.place ?? placeAt(this.root, path), path: pathText(this.root, path), message });
  }

  /** About the value that an environment variable gave to a setting. */
  variable(variable: string, path: string, message: string): void {
    this.problems.push({ place: { variable }, path, message });
  }

  #add(path: Path, message: string): void {
    this.problems.push({ place: placeAt(this.root, path), path: pathText(this.root, path), message });
  }
}
