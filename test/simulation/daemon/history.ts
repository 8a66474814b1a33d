/**
 * What happened in a world, line by line: the last lines are shown when a law was broken, and the digest of all of them says whether two runs of a seed
 * were the same.
 */
import { createHash } from 'node:crypto';
import type { Ms } from '../../../src/model/units.ts';

export type Law =
  | 'law 1'
  | 'law 2'
  | 'law 3'
  | 'law 4'
  | 'law 5'
  | 'law 6'
  | 'law 7'
  | 'law 8'
  | 'completeness'
  | 'duplicates'
  | 'surprise';

export interface Violation {
  readonly law: Law;
  readonly what: string;
}

/** A law was broken in a world. */
export class Broken extends Error {
  override readonly name = 'Broken';
  readonly violation: Violation;
  /** The last events before it. */
  readonly tail: readonly string[];
  constructor(seed: number, violation: Violation, tail: readonly string[]) {
    super(`SEED=${seed} breaks ${violation.law}: ${violation.what}`);
    this.violation = violation;
    this.tail = tail;
  }
}

const TAIL = 120;

export class History {
  readonly #elapsed: () => Ms;
  readonly #echo: (line: string) => void;
  readonly #hash = createHash('sha256');
  #tail: string[] = [];
  #first: Violation | undefined;
  lines = 0;

  /** `echo` is given every line, for whoever wants to read all of it. */
  constructor(elapsed: () => Ms, echo: (line: string) => void = () => {}) {
    this.#elapsed = elapsed;
    this.#echo = echo;
  }

  /** The first law that was broken. */
  get violation(): Violation | undefined {
    return this.#first;
  }

  get tail(): readonly string[] {
    return this.#tail.slice(-TAIL);
  }

  say(what: string): void {
    const line = `${(this.#elapsed() / 1000).toFixed(3).padStart(11)}  ${what}`;
    this.#hash.update(line);
    this.lines += 1;
    this.#echo(line);
    // What happened after the first breach only hides it.
    if (this.#first !== undefined) return;
    this.#tail.push(line);
    if (this.#tail.length > 2 * TAIL) this.#tail = this.#tail.slice(-TAIL);
  }

  breaks(law: Law, what: string): void {
    this.say(`*** ${law}: ${what}`);
    this.#first ??= { law, what };
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}
