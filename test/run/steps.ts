/** Runs the tools that scripts are made of: one at a time or side by side, ended together when we are asked to end. */
import { once } from 'node:events';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Child, spawnGuarded } from '../servers/child.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A tool that npm has installed: its path from the root of the repository. */
export const TOOLS = {
  biome: 'node_modules/@biomejs/biome/bin/biome',
  knip: 'node_modules/knip/bin/knip.js',
  mocha: 'node_modules/mocha/bin/mocha.js',
  tsc: 'node_modules/typescript/bin/tsc',
} as const;

const running = new Set<Child>();

export interface StepOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Then it is ended, and has failed. */
  readonly limitMs?: number;
  /** `show`: its output goes where ours goes; `keep`: it is returned. */
  readonly output: 'show' | 'keep';
}

export interface StepResult {
  readonly ok: boolean;
  /** As `exit 0`, `SIGKILL`, or `longer than 60 s`. */
  readonly end: string;
  readonly output: string;
}

/** Runs a tool under our own Node and waits for its end. It never throws for what the tool does. */
export async function step(tool: string, args: readonly string[], options: StepOptions): Promise<StepResult> {
  const { limitMs = 600_000 } = options;
  const child = spawnGuarded(process.execPath, [tool, ...args], {
    cwd: ROOT,
    output: options.output === 'show' ? 'inherit' : 'pipe',
    env: options.env ?? {},
  });
  child.process.ref();
  running.add(child);
  const kept: Buffer[] = [];
  for (const from of [child.process.stdout, child.process.stderr]) from?.on('data', bytes => kept.push(bytes));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.end();
  }, limitMs);
  await once(child.process, 'close');
  clearTimeout(timer);
  running.delete(child);
  const end = late ? `longer than ${limitMs / 1000} s` : await child.exited;
  return { ok: end === 'exit 0', end, output: Buffer.concat(kept).toString() };
}

/** From now on SIGINT, SIGTERM and SIGHUP end the running tools, and then us. */
export function endOnSignal(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, async () => {
      await Promise.all([...running].map(child => child.end('SIGTERM', 5000)));
      process.exit(128 + constants.signals[signal]);
    });
  }
}
