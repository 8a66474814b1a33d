/** The daemon as a process of its own, as a user runs it: started, asked over its admin port, stopped or killed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Status } from '../../src/model/status.ts';
import { type Child, spawnGuarded } from '../servers/child.ts';
import { ROOT } from './steps.ts';

export interface DaemonProcess {
  readonly child: Child;
  /** Undefined while it does not answer. */
  status(): Promise<Status | undefined>;
  /** Resolves when it is ready; rejects with the end of its log when it ended before. */
  ready(limitMs?: number): Promise<void>;
  /** SIGTERM; how it ended. */
  stop(graceMs?: number): Promise<string>;
  /** SIGKILL. */
  kill(): Promise<void>;
  log(): string;
}

export interface DaemonStart {
  /** Settings files. */
  readonly settings: readonly string[];
  readonly admin: string;
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  /** `dist`: what `npm run build` made; `src`: the checkout. */
  readonly from: 'src' | 'dist';
}

export function startDaemon(start: DaemonStart): DaemonProcess {
  const main = start.from === 'src' ? join(ROOT, 'src', 'main.ts') : join(ROOT, 'dist', 'src', 'main.js');
  const args = [main, 'run', ...start.settings.flatMap(file => ['-c', file])];
  const child = spawnGuarded(process.execPath, args, { cwd: ROOT, output: start.logFile, env: start.env ?? {} });
  const ask = async (path: string) => {
    const answer = await fetch(`${start.admin}${path}`, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
    return answer;
  };
  const log = () => readFileSync(start.logFile, 'utf8');
  return {
    child,
    log,
    async status() {
      const answer = await ask('/status');
      return answer?.ok ? ((await answer.json()) as Status) : undefined;
    },
    async ready(limitMs = 30_000) {
      const until = Date.now() + limitMs;
      for (;;) {
        if ((await ask('/readyz'))?.status === 200) return;
        if (!child.running()) throw new Error(`the daemon ended (${await child.exited}):\n${log().slice(-2000)}`);
        if (Date.now() > until) throw new Error(`the daemon was not ready within ${limitMs / 1000} s:\n${log().slice(-2000)}`);
        await new Promise(resolve => setTimeout(resolve, 50));
      }
    },
    async stop(graceMs = 30_000) {
      await child.end('SIGTERM', graceMs);
      return child.exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}
