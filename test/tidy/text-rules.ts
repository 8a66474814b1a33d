/** Rules about names and text that no linter knows. */

const BANNED_WORDS = /(^|[-/])(managers?|helpers?|utils?|services?|processors?)([./]|$)/;
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/;
const CAPITALS = new Set([
  'README.md',
  'CHANGELOG.md',
  'ARCHITECTURE.md',
  'DECISIONS.md',
  'REFERENCES.md',
  'REFERENCE.md',
  'LICENSE',
  'Dockerfile',
  'Chart.yaml',
  'Makefile',
]);

/** What is wrong with a file's name. */
export function nameFault(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (BANNED_WORDS.test(path)) return `${path}: say what it is, not manager, helper, util, service or processor`;
  if (!name.startsWith('.') && !CAPITALS.has(name) && !KEBAB.test(name.replace(/^_/, ''))) return `${path}: names are kebab-case`;
  return undefined;
}

/** A place by line goes stale with the next edit: name the file and the thing in it. */
export const LINE_CITE = /[\w/-]+\.(ts|mjs|js|md):\d+/g;

export const SKIPPED_TEST = /\b(describe|context|it)\.(only|skip)\b|\bx(it|describe)\(/g;

/** What is true on one machine only: its folders, and the host that a package came from. */
export const MACHINE_PATH = /(?<![\w.:/@{}-])\/(home|root|Users|work)\/[\w.-]+/g;
export const REGISTRY_HOST =
  /\b(registry|repo1?|repository|packages?|pypi|npm|mirrors?|files)\.[a-z0-9-]+(\.[a-z0-9-]+)*\.(org|com|io|dev|net|internal)\b/g;

/** Each match with its line. */
export function matches(path: string, text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(match => `${path}: "${match[0]}" in line ${text.slice(0, match.index).split('\n').length}`);
}
