/** Mistakes in settings: where, in which setting, what is wrong and what is allowed. They are gathered and reported together. */

/** A place in a file, a `--set` argument, or an environment variable. */
export type Place =
  | { readonly file: string; readonly line: number; readonly column: number }
  | { readonly argument: '--set' }
  | { readonly variable: string };

export interface Problem {
  readonly place: Place | undefined;
  /** As `pipelines.orders.sinks.eu.batchSize`; empty for a whole file. */
  readonly path: string;
  /** Never with a value in it. */
  readonly message: string;
}

/** Settings are wrong; nothing was opened. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    const sorted = problems.toSorted(byPlace);
    super(sorted.map(problemLine).join('\n'));
    this.problems = sorted;
  }
}

/** `file:line:column path: what is wrong, and what is allowed`. */
export function problemLine(problem: Problem): string {
  const where = [problem.place && placeText(problem.place), problem.path].filter(Boolean).join(' ');
  return where === '' ? problem.message : `${where}: ${problem.message}`;
}

function placeText(place: Place): string {
  if ('file' in place) return `${place.file}:${place.line}:${place.column}`;
  return 'argument' in place ? place.argument : place.variable;
}

function byPlace(a: Problem, b: Problem): number {
  const [left, right] = [a.place, b.place];
  if (left === undefined || right === undefined) return Number(left !== undefined) - Number(right !== undefined);
  if (!('file' in left) || !('file' in right)) return Number('file' in right) - Number('file' in left);
  if (left.file !== right.file) return left.file < right.file ? -1 : 1;
  return left.line - right.line || left.column - right.column;
}
