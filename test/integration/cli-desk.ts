/** The command line as a child process, and a folder with settings and a connector package of somebody else, for the tests beside this file. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, spawnGuarded } from '../servers/child.ts';
import { writtenDown } from './written-down.ts';

export const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const SHARED = { NO_COLOR: '1', TIDEMARK_CACHE: undefined, AWS_EC2_METADATA_DISABLED: 'true' };

export interface Ended {
  readonly code: string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running extends Child {
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<Ended>;
  /** Waits until stderr matches. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
}

const started = new Set<Child>();

export function start(args: readonly string[], env: Record<string, string | undefined> = {}): Running {
  const child = spawnGuarded(process.execPath, [MAIN, ...args], { cwd: tmpdir(), env: { ...SHARED, ...env }, output: 'pipe' });
  const texts = { stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child.process[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
      for (const look of waiting) look();
    });
  }
  child.process.ref();
  started.add(child);
  const closed = new Promise<void>(resolve => child.process.once('close', () => resolve()));
  return {
    ...child,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    ended: Promise.all([child.exited, closed]).then(([code]) => ({ code: code.replace('exit ', ''), ...texts })),
    until: pattern =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(texts.stderr);
          if (match === null) return;
          waiting.delete(look);
          resolve(match);
        };
        waiting.add(look);
        look();
        closed.then(() => reject(new Error(`it ended before ${pattern}: ${texts.stderr}`)));
      }),
  };
}

export const tidemark = (args: readonly string[], env?: Record<string, string | undefined>): Promise<Ended> => start(args, env).ended;

/** Ends whatever a failed test has left. */
export async function endAll(): Promise<void> {
  await Promise.all(Array.from(started, child => child.end('SIGKILL')));
  started.clear();
}

/** What the settings refer to. */
export const env = { SECRET: 'hunter2-of-the-state' };

export interface Desk {
  readonly folder: string;
  file(name: string, text: string): string;
  settings(more?: { endpoint?: string; top?: string; table?: string }): string;
  remove(): void;
}

/** `line`: what the connector makes of a record, as `writtenDown` takes it. */
export function desk(line = "({ kind, keys }) => kind + ' ' + JSON.stringify(keys)"): Desk {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-cli-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  mkdirSync(join(folder, 'node_modules', 'written-down'), { recursive: true });
  symlinkSync(fileURLToPath(new URL('../../node_modules/zod', import.meta.url)), join(folder, 'node_modules', 'zod'));
  file('node_modules/written-down/package.json', '{ "name": "written-down", "exports": { "import": "./index.mjs" } }');
  file('node_modules/written-down/index.mjs', writtenDown(line));
  return { folder, file, settings: (more = {}) => settingsText(folder, more), remove: () => rmSync(folder, { recursive: true }) };
}

function settingsText(
  folder: string,
  { endpoint = 'http://127.0.0.1:1', top = '', table = 'orders' }: { endpoint?: string; top?: string; table?: string },
): string {
  return `name: shop
state: { region: us-east-1, endpoint: "${endpoint}", credentials: { accessKeyId: a, secretAccessKey: "\${env:SECRET}" } }
admin: { port: 0 }
limits: { drainSeconds: 2 }
${top}
pipelines:
  - name: orders
    source: { table: ${table}, region: us-east-1, endpoint: "${endpoint}", credentials: { accessKeyId: a, secretAccessKey: b } }
    sinks:
      - { name: eu, type: written-down, into: "${folder}/eu" }
      - { name: us, type: written-down, into: "${folder}/us" }
`;
}
