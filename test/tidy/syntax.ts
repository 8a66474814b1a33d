/**
 * Questions to a syntax tree: what a file imports, how long its functions are, which global names it uses. (From a parser, not from braces: text in
 * templates, comments and types would be miscounted. TypeScript 7 has no parser that can be imported.)
 */
import { isTest, type Source } from './files.ts';

/** Any node of an ESTree. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

interface Place {
  readonly node: Node;
  readonly field: string;
  readonly parent: Node | undefined;
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'type' in value && 'start' in value;

function* childrenOf(parent: Node): Generator<Place> {
  for (const [field, value] of Object.entries(parent)) {
    for (const node of Array.isArray(value) ? value : [value]) if (isNode(node)) yield { node, field, parent };
  }
}

/** Every node below and including this one; not below those that `skip` names. */
function* walk(place: Place, skip: (node: Node) => boolean = () => false): Generator<Place> {
  if (skip(place.node)) return;
  yield place;
  for (const child of childrenOf(place.node)) yield* walk(child, skip);
}

const rootOf = (source: Source): Place => ({ node: source.syntax.program as unknown as Node, field: '', parent: undefined });

/** Module names as they are written, of imports of every kind. */
export function importsOf(source: Source): readonly string[] {
  const { staticImports, staticExports } = source.syntax.module;
  const names = staticImports.map(({ moduleRequest }) => moduleRequest.value);
  for (const { entries } of staticExports) names.push(...entries.flatMap(entry => entry.moduleRequest?.value ?? []));
  for (const { node } of walk(rootOf(source))) {
    if ((node.type === 'ImportExpression' || node.type === 'TSImportType') && isNode(node['source'])) {
      const { value } = node['source'];
      if (typeof value === 'string') names.push(value);
    }
  }
  return names;
}

/** A file whose only job is to export what others export. */
export function isBarrel(source: Source): boolean {
  const { body } = source.syntax.program;
  const passesOn = (type: string, from: unknown) => type === 'ExportAllDeclaration' || (type === 'ExportNamedDeclaration' && from !== null);
  return (
    body.some(({ type }) => type === 'ExportAllDeclaration') ||
    (body.length > 0 && body.every(it => passesOn(it.type, (it as { source?: unknown }).source ?? null)))
  );
}

export interface FunctionSize {
  readonly at: string;
  readonly lines: number;
  /** A declaration, a method, or assigned to something; not a callback. */
  readonly named: boolean;
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
const SUITES = /^(describe|context|it|before|after|beforeEach|afterEach)\b/;
const SUITE_LINE = /^\s+(describe|it)\(/m;

/** Each function with its physical lines. A function that is a test suite, or holds one, is no function in this sense. */
export function functionsOf(source: Source): readonly FunctionSize[] {
  const sizes: FunctionSize[] = [];
  for (const { node, parent } of walk(rootOf(source))) {
    if (!FUNCTIONS.has(node.type)) continue;
    if (parent?.type === 'CallExpression' && SUITES.test(source.text.slice(parent.start, node.start))) continue;
    if (isTest(source.path) && SUITE_LINE.test(source.text.slice(node.start, node.end))) continue;
    const named = node.type === 'FunctionDeclaration' || (parent !== undefined && parent.type !== 'CallExpression');
    const start = lineOf(source, node.start);
    sizes.push({ at: `${source.path} line ${start}`, lines: lineOf(source, node.end) - start + 1, named });
  }
  return sizes;
}

export const lineOf = (source: Source, offset: number): number => source.text.slice(0, offset).split('\n').length;

const CLOCKS = new Set(['Date', 'setTimeout', 'setInterval', 'setImmediate', 'performance']);
const CLOCK_MEMBERS = new Set(['Math.random', 'AbortSignal.timeout', 'process.hrtime']);
const CHANCE = new Set(['randomUUID', 'randomBytes', 'randomInt', 'randomFill', 'getRandomValues']);
const CLOCK_MODULES = /^node:(timers|perf_hooks)/;

/** Types may speak of Date; expressions that wrap others are looked into. */
const isType = ({ type }: Node): boolean => type.startsWith('TS') && !/^TS(As|Satisfies|NonNull|Instantiation)/.test(type);

/** Each use of real time or chance. */
export function clockUses(source: Source): readonly string[] {
  const found = importsOf(source).filter(name => CLOCK_MODULES.test(name));
  for (const { node, field, parent } of walk(rootOf(source), isType)) {
    const use = clockUse(node, field, parent);
    if (use) found.push(`${use} in line ${lineOf(source, node.start)}`);
  }
  return found.map(use => `${source.path}: ${use}`);
}

function clockUse(node: Node, field: string, parent: Node | undefined): string | undefined {
  const name = node['name'];
  if (node.type === 'MemberExpression' && isNode(node['object']) && isNode(node['property'])) {
    const [object, property] = [String(node['object']['name']), String(node['property']['name'])];
    const path = `${object}.${property}`;
    return CLOCK_MEMBERS.has(path) || CHANCE.has(property) || (object === 'globalThis' && CLOCKS.has(property)) ? path : undefined;
  }
  if (node.type !== 'Identifier' || typeof name !== 'string') return undefined;
  const isField = (field === 'property' || field === 'key') && parent?.['computed'] === false;
  if (isField) return undefined;
  // `new Date(at)` turns a given time into the shape that a library asks for; it reads no clock.
  const given =
    parent?.type === 'NewExpression' && field === 'callee' && Array.isArray(parent['arguments']) && parent['arguments'].length > 0;
  if (name === 'Date' && given) return undefined;
  return CLOCKS.has(name) || CHANCE.has(name) ? name : undefined;
}
