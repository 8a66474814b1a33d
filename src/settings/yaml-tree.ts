/**
 * YAML text as a tree with places. Anchors, aliases and merge keys work; other tags do not. A syntax error is told in our own words: the parser's
 * quote the text, and that may hold a secret.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument, type YAMLError } from 'yaml';
import type { Place, Problem } from './problem.ts';
import type { Entry, MapNode, TreeNode } from './tree.ts';

/** YAML 1.1 knew dates, many a reader still does; what was meant stays open until it is quoted. */
const DATE = /^\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?$/;
/** Aliases of aliases must not blow a small file up. */
const MAX_NODES = 100_000;

const WORDS: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias can have no anchor or tag',
  BAD_ALIAS: 'not a valid alias or anchor name',
  BAD_DIRECTIVE: 'not a valid directive',
  BAD_DQ_ESCAPE: 'an escape in double quotes that YAML does not know; write \\\\ for a backslash, or use single quotes',
  BAD_INDENT: 'wrong indentation, or a bracket that is not closed',
  BAD_SCALAR_START: 'text cannot start with this character: quote it',
  BLOCK_AS_IMPLICIT_KEY: 'a second `: ` on one line; quote the text, or put the map on its own lines',
  BLOCK_IN_FLOW: 'a block collection cannot stand inside brackets',
  MISSING_CHAR: 'a quote, comma or bracket is missing here',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line; is a `:` or a bracket missing?',
  MULTIPLE_DOCS: 'one file holds one document; leave out the second `---`',
  TAB_AS_INDENT: 'a tab cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'a tag that is not known here',
  UNEXPECTED_TOKEN: 'something stands here that cannot; check indentation, quotes and brackets',
};

/** The tree, or what is wrong with the text. An empty file is an empty map. */
export function yamlTree(text: string, file: string): { readonly tree: TreeNode; readonly problems: readonly Problem[] } {
  const lines = new LineCounter();
  // Its own look for keys that stand twice takes minutes for a map of 200,000.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error', uniqueKeys: false });
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const syntax = [...document.errors, ...document.warnings].map((e: YAMLError): Problem => {
    return { place: at(e.pos[0]), path: '', message: `not valid YAML: ${WORDS[e.code] ?? 'it cannot be read here'}` };
  });
  const reading = new YamlReading(document, at);
  const tree = syntax.length > 0 ? reading.nothing() : reading.node(document.contents, at(0));
  return { tree, problems: [...syntax, ...reading.problems] };
}

class YamlReading {
  readonly problems: Problem[] = [];
  readonly #document: Document;
  readonly #at: (offset: number) => Place;
  #left = MAX_NODES;
  /** What the aliases mean that are being followed. */
  readonly #followed = new Set<unknown>();

  constructor(document: Document, at: (offset: number) => Place) {
    this.#document = document;
    this.#at = at;
  }

  nothing(): MapNode {
    return { kind: 'map', place: this.#at(0), entries: new Map() };
  }

  node(source: unknown, near: Place): TreeNode {
    const place = placeOf(source, this.#at) ?? near;
    this.#left -= 1;
    if (this.#left === 0) this.#say(place, 'too many nodes; aliases of aliases?');
    if (this.#left <= 0) return { kind: 'scalar', place, value: null };
    if (isAlias(source)) return this.#alias(source.resolve(this.#document), place);
    if (isMap(source)) return { kind: 'map', place, entries: this.#entries(source.items, place) };
    if (isSeq(source)) return { kind: 'list', place, items: source.items.map(item => this.node(item, place)) };
    if (isScalar(source)) return this.#scalar(source.value, { place, plain: source.type === 'PLAIN' });
    return source === null && near === place && this.#document.contents === null ? this.nothing() : { kind: 'scalar', place, value: null };
  }

  #alias(target: unknown, place: Place): TreeNode {
    const isInside = this.#followed.has(target);
    if (target === undefined || isInside) {
      this.#say(place, isInside ? 'an alias that stands inside what it means' : 'an alias without an anchor before it');
      return { kind: 'scalar', place, value: null };
    }
    this.#followed.add(target);
    const node = this.node(target, place);
    this.#followed.delete(target);
    return node;
  }

  #scalar(value: unknown, { place, plain }: { place: Place; plain: boolean }): TreeNode {
    if (plain && typeof value === 'string' && DATE.test(value)) return { kind: 'scalar', place, value, date: true };
    const known = value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    if (!known) this.#say(place, 'neither text, number nor boolean');
    return { kind: 'scalar', place, value: known ? value : null };
  }

  #entries(pairs: readonly Pair[], near: Place): Map<string, Entry> {
    const merged = new Map<string, Entry>();
    const own = new Map<string, Entry>();
    const seen = new Set<unknown>();
    for (const pair of pairs) {
      const place = placeOf(pair.key, this.#at) ?? near;
      const key = isScalar(pair.key) ? pair.key.value : undefined;
      if (key !== undefined && seen.has(key)) this.#say(place, 'not valid YAML: this key stands twice in one map');
      seen.add(key);
      const node = this.node(pair.value, place);
      if (key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN')
        for (const [name, entry] of mergedInto(node)) merged.set(name, entry);
      else if (key === undefined || key === null) this.#say(place, 'a key must be text');
      else own.set(String(key), { place, node });
    }
    return new Map([...merged, ...own]);
  }

  #say(place: Place, message: string): void {
    this.problems.push({ place, path: '', message });
  }
}

/** What `<<` brings: of several maps the first that has a key gives it. */
function mergedInto(node: TreeNode): Iterable<readonly [string, Entry]> {
  if (node.kind === 'map') return node.entries;
  if (node.kind !== 'list') return [];
  return node.items.toReversed().flatMap(item => (item.kind === 'map' ? [...item.entries] : []));
}

function placeOf(source: unknown, at: (offset: number) => Place): Place | undefined {
  const range = isScalar(source) || isMap(source) || isSeq(source) || isAlias(source) ? source.range : undefined;
  return range ? at(range[0]) : undefined;
}
