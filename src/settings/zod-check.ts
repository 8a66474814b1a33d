/**
 * Checks a part of the tree with a zod schema and reports what zod finds at the places where it was written, in our own words, which never contain a
 * value. A loose text (from `--set` or `${…}`) that is refused is tried once more as the number or boolean that it spells.
 */
import type { ZodType, z } from 'zod';
import type { Findings } from './findings.ts';
import { type Bounds, boundsAt, jsonSchemaOf, keysAt } from './schema-shape.ts';
import { nodeAt, type Path, plainOf, replaceAt, type ScalarNode, type TreeNode } from './tree.ts';

type Issue = z.core.$ZodIssue;

export interface Part {
  readonly node: TreeNode;
  /** Where it stands in the whole tree. */
  readonly path: Path;
  /** Names that are allowed beside the schema's own, for they are checked elsewhere. */
  readonly beside?: Iterable<string>;
}

/** The schema's value, or undefined after reporting why not. */
export function checked<T>(findings: Findings, schema: ZodType<T>, { node, path, beside = [] }: Part): T | undefined {
  try {
    const strict = schema.safeParse(plainOf(node));
    const loosened = strict.success ? node : loosen(node, strict.error.issues);
    const result = loosened === node ? strict : schema.safeParse(plainOf(loosened));
    if (result.success) return result.data;
    for (const issue of result.error.issues) report(findings, { issue, schema, base: path, beside });
  } catch (error) {
    findings.value(path, `its schema failed: ${(error as Error).message}`);
  }
  return undefined;
}

function loosen(node: TreeNode, issues: readonly Issue[]): TreeNode {
  return issues.flatMap(allPaths).reduce((tree, path) => {
    const scalar = nodeAt(tree, path);
    const meant = scalar?.kind === 'scalar' && scalar.loose ? spelled(scalar) : undefined;
    return meant === undefined ? tree : replaceAt(tree, path, meant);
  }, node);
}

function spelled(scalar: ScalarNode): ScalarNode | undefined {
  const text = String(scalar.value);
  if (text === 'true' || text === 'false') return { ...scalar, value: text === 'true' };
  return /^[+-]?\d{1,15}(?:\.\d+)?$/.test(text) ? { ...scalar, value: Number(text) } : undefined;
}

function allPaths(issue: Issue): Path[] {
  const own = issue.path as Path;
  if (issue.code !== 'invalid_union') return [own];
  return [own, ...issue.errors.flat().flatMap(inner => allPaths(inner).map(path => [...own, ...path]))];
}

interface Reported {
  readonly issue: Issue;
  readonly schema: ZodType;
  readonly base: Path;
  readonly beside?: Iterable<string>;
}

function report(findings: Findings, { issue, schema, base, beside = [] }: Reported): void {
  const path = [...base, ...(issue.path as Path)];
  if (issue.code === 'unrecognized_keys') {
    const allowed = [...keysAt(jsonSchemaOf(schema), issue.path as Path), ...(issue.path.length === 0 ? beside : [])];
    const text = `unknown setting${allowed.length > 0 ? `; allowed: ${allowed.join(', ')}` : ''}`;
    for (const key of issue.keys) findings.key([...path, key], text);
  } else if (issue.code === 'invalid_union') reportUnion(findings, { issue, schema, base: path });
  else findings.value(path, issueText(issue, nodeAt(findings.root, path), boundsAt(jsonSchemaOf(schema), issue.path as Path)));
}

/** Of a union's members, the one that came furthest says what is wrong; if none came past the door, all say what they take. */
function reportUnion(
  findings: Findings,
  { issue, schema, base }: { readonly issue: z.core.$ZodIssueInvalidUnion; readonly schema: ZodType; readonly base: Path },
): void {
  const inside = issue.errors.filter(issues => issues.every(inner => inner.path.length > 0 || inner.code === 'unrecognized_keys'));
  const nearest = inside.toSorted((a, b) => a.length - b.length)[0];
  if (nearest !== undefined) {
    for (const inner of nearest) {
      const moved = { ...inner, path: [...issue.path, ...inner.path] } as Issue;
      report(findings, { issue: moved, schema, base: base.slice(0, base.length - issue.path.length) });
    }
    return;
  }
  const node = nodeAt(findings.root, base);
  const custom = customText(issue.message)
    ?.replace(/^Invalid discriminator value\. Expected /, 'expected one of ')
    .replaceAll(' | ', ', ');
  const texts = issue.errors.flatMap(issues => issues.filter(inner => inner.path.length === 0).map(inner => issueText(inner, node)));
  findings.value(base, custom ?? ([...new Set(texts)].join(', or ') || 'is not one of the allowed forms'));
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function issueText(issue: Issue, node: TreeNode | undefined, bounds: Bounds = {}): string {
  const custom = customText(issue.message);
  const lead = node === undefined ? 'is missing: ' : node.kind === 'scalar' && node.value === null ? 'is empty: ' : '';
  if (issue.code === 'invalid_type' && issue.expected === 'string' && node?.kind === 'scalar' && node.value !== null) {
    return `expected text, but this is a ${typeof node.value}: quote it`;
  }
  if (custom !== undefined) return lead + custom;
  if (issue.code === 'invalid_type' && isQuoted(issue.expected, node))
    return `expected ${TYPES[issue.expected]}, but this is text: leave the quotes out`;
  if (isNumber(issue)) return `${lead}expected ${numberText({ ...boundOf(issue), ...bounds })}`;
  if (issue.code === 'invalid_type') return `${lead}expected ${TYPES[issue.expected] ?? issue.expected}${asJson(issue.expected, node)}`;
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    return `${lead}expected ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}`;
  }
  if (issue.code === 'too_small' || issue.code === 'too_big') return `${lead}expected ${sizeText(issue)}`;
  return lead + issue.message;
}

function isQuoted(expected: string, node: TreeNode | undefined): boolean {
  if (node?.kind !== 'scalar' || typeof node.value !== 'string' || node.reference !== undefined) return false;
  const meant = spelled(node)?.value;
  return expected === 'boolean' ? typeof meant === 'boolean' : (expected === 'number' || expected === 'int') && typeof meant === 'number';
}

function asJson(expected: string, node: TreeNode | undefined): string {
  const structure = expected === 'array' || expected === 'object' || expected === 'record';
  return structure && node !== undefined && 'argument' in node.place ? ', written as JSON' : '';
}

function isNumber(issue: Issue): boolean {
  if (issue.code === 'invalid_type') return issue.expected === 'number' || issue.expected === 'int';
  return (issue.code === 'too_small' || issue.code === 'too_big') && (issue.origin === 'number' || issue.origin === 'int');
}

/** What the issue itself says, where the schema cannot be asked: in a member of a union. */
function boundOf(issue: Issue): Bounds {
  if (issue.code === 'too_small')
    return issue.inclusive === false ? { exclusiveMinimum: Number(issue.minimum) } : { minimum: Number(issue.minimum) };
  if (issue.code === 'too_big')
    return issue.inclusive === false ? { exclusiveMaximum: Number(issue.maximum) } : { maximum: Number(issue.maximum) };
  return { integer: issue.code === 'invalid_type' && issue.expected === 'int' };
}

/** Both bounds, whichever was passed. */
function numberText({ integer, minimum, exclusiveMinimum, maximum, exclusiveMaximum }: Bounds): string {
  const [low, high] = [limit(minimum), limit(maximum)];
  const what = integer === true ? 'a whole number' : 'a number';
  if (low !== undefined && high !== undefined) return `${what} from ${low} to ${high}`;
  const least = low === undefined ? (exclusiveMinimum === undefined ? '' : ` over ${exclusiveMinimum}`) : `, at least ${low}`;
  const most = high === undefined ? (exclusiveMaximum === undefined ? '' : ` under ${exclusiveMaximum}`) : `, at most ${high}`;
  return `${what}${least}${most}`;
}

/** The bounds of JavaScript's own numbers are nobody's rule. */
function limit(bound: number | undefined): number | undefined {
  return bound === undefined || Math.abs(bound) >= Number.MAX_SAFE_INTEGER ? undefined : bound;
}

function sizeText(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const [bound, limit] =
    issue.code === 'too_small' ? [issue.inclusive === false ? 'more than' : 'at least', issue.minimum] : ['at most', issue.maximum];
  if (issue.origin === 'string') return limit === 1 && bound === 'at least' ? 'text that is not empty' : `${bound} ${limit} characters`;
  if (issue.origin === 'array') return `${bound} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  return `${bound} ${limit}`;
}

/** What the schema's author wrote; zod's own messages begin so. */
function customText(message: string): string | undefined {
  return /^(?:Invalid (?:input|option|key|element|tuple)|Too (?:small|big)|Unrecognized key)/.test(message) ? undefined : message;
}
