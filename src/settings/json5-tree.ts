/**
 * JSON and JSON5 text as a tree with places. The json5 package decides what is valid and what a token means, but knows no places; so the text, once
 * found valid, is walked here token by token.
 */
import JSON5 from 'json5';
import type { Place, Problem } from './problem.ts';
import { type Entry, emptyMap, type TreeNode } from './tree.ts';

export function json5Tree(text: string, file: string): { readonly tree: TreeNode; readonly problems: readonly Problem[] } {
  const start: Place = { file, line: 1, column: 1 };
  try {
    JSON5.parse(text);
  } catch (error) {
    const { lineNumber = 1, columnNumber = 1 } = error as { lineNumber?: number; columnNumber?: number };
    const place = { file, line: lineNumber, column: Math.max(1, columnNumber) };
    return { tree: emptyMap(start), problems: [{ place, path: '', message: 'not valid JSON (or JSON5) from here on' }] };
  }
  const walk = new Json5Walk(text, file);
  return { tree: walk.node(), problems: walk.problems };
}

interface Lexeme {
  readonly text: string;
  readonly place: Place;
}

class Json5Walk {
  readonly problems: Problem[] = [];
  readonly #tokens: readonly Lexeme[];
  #next = 0;

  constructor(text: string, file: string) {
    this.#tokens = tokens(text, file);
  }

  node(): TreeNode {
    const { text, place } = this.#take();
    if (text === '{') return { kind: 'map', place, entries: this.#entries() };
    if (text === '[') return { kind: 'list', place, items: this.#items() };
    return { kind: 'scalar', place, value: JSON5.parse<string | number | boolean | null>(text) };
  }

  #entries(): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    while (!this.#closes('}')) {
      const { text, place } = this.#take();
      const key = Object.keys(JSON5.parse<object>(`{${text}:0}`))[0] ?? '';
      this.#take();
      if (entries.has(key)) this.problems.push({ place, path: '', message: 'this key stands twice in one map' });
      entries.set(key, { place, node: this.node() });
      if (this.#tokens[this.#next]?.text === ',') this.#next += 1;
    }
    return entries;
  }

  #items(): TreeNode[] {
    const items: TreeNode[] = [];
    while (!this.#closes(']')) {
      items.push(this.node());
      if (this.#tokens[this.#next]?.text === ',') this.#next += 1;
    }
    return items;
  }

  #closes(bracket: string): boolean {
    if (this.#tokens[this.#next]?.text !== bracket) return false;
    this.#next += 1;
    return true;
  }

  #take(): Lexeme {
    const token = this.#tokens[this.#next];
    if (token === undefined) throw new Error('a valid text ended early');
    this.#next += 1;
    return token;
  }
}

/** Strings, comments and blanks, punctuation, and what else there is (numbers, words), of a text that is known to be valid. */
const TOKEN =
  /"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'|\/\/[^\n\r\u2028\u2029]*|\/\*[\s\S]*?\*\/|[{}[\],:]|[\s\uFEFF]+|[^\s\uFEFF{}[\],:"'/]+/g;

function tokens(text: string, file: string): Lexeme[] {
  const found: Lexeme[] = [];
  let line = 1;
  let lineStart = 0;
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0];
    if (!/^(?:\/[/*]|[\s\uFEFF])/.test(token)) found.push({ text: token, place: { file, line, column: match.index - lineStart + 1 } });
    for (const end of token.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) {
      line += 1;
      lineStart = match.index + end.index + end[0].length;
    }
  }
  return found;
}
