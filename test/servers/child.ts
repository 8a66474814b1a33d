/**
 * Child processes and folders that never outlive the process that made them. Each child leads its own process group, so that a signal reaches what it
 * started too, and so that Ctrl-C in a terminal reaches only us: we end children in our own order. A guard (guard.mjs) ends them when we are killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Child {
  readonly pid: number;
  /** For its streams, where `output` is `pipe`. */
  readonly process: ChildProcess;
  /** How it ended, as `exit 1` or `SIGKILL`. */
  readonly exited: Promise<string>;
  running(): boolean;
  /** Signals the whole process group; nothing happens if it has ended. */
  kill(signal: NodeJS.Signals): void;
  /** Signals, waits for the end, and kills after the grace. */
  end(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
}

export interface SpawnOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A file that stdout and stderr are appended to; `pipe`: read them from `process`; `inherit`: they go where ours go. */
  readonly output: string | 'pipe' | 'inherit';
}

/** Starts a child that ends with us, whatever our end is. */
export function spawnGuarded(command: string, args: readonly string[], options: SpawnOptions): Child {
  const to = options.output === 'pipe' || options.output === 'inherit' ? options.output : openSync(options.output, 'a');
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', to, to],
    detached: true,
  });
  if (typeof to === 'number') closeSync(to);
  const { pid } = child;
  if (pid !== undefined) tellGuard({ add: pid });
  const exited = new Promise<string>(resolve => {
    child.once('error', error => resolve(error.message));
    child.once('exit', (code, signal) => {
      tellGuard({ drop: pid });
      resolve(signal ?? `exit ${code}`);
    });
  });
  child.unref();
  return childHandle(child, exited);
}

function childHandle(child: ChildProcess, exited: Promise<string>): Child {
  const running = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  const kill = (signal: NodeJS.Signals) => {
    if (running()) signalGroup(child.pid ?? 0, signal);
  };
  return {
    pid: child.pid ?? 0,
    process: child,
    exited,
    running,
    kill,
    async end(signal = 'SIGTERM', graceMs = 5000) {
      if (!running()) return;
      child.ref();
      kill('SIGCONT');
      kill(signal);
      const timer = setTimeout(() => kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A fresh folder in the system's place for temporary files. Removed by `removeFolder`, or by the guard when we are gone. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `tidemark-${name}-`));
  tellGuard({ folder });
  return folder;
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  tellGuard({ gone: folder });
}

let guard: ChildProcess | undefined;

function tellGuard(line: object): void {
  guard ??= startGuard();
  guard.stdin?.write(`${JSON.stringify(line)}\n`);
}

function startGuard(): ChildProcess {
  const file = fileURLToPath(new URL('./guard.mjs', import.meta.url));
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'ignore', 'inherit'], detached: true, env: { TMPDIR: tmpdir() } });
  child.unref();
  (child.stdin as Socket).unref();
  return child;
}
