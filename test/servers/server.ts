/**
 * A server for tests: a child process with a port on loopback, a folder of its own that goes with it, and a log. All kinds of server start here, so
 * that all are waited for, explained when they fail, and stopped alike.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, removeFolder, spawnGuarded, temporaryFolder } from './child.ts';
import { answers, freePort, HOST } from './ports.ts';

export interface Server {
  readonly endpoint: string;
  readonly port: number;
  /** Where its own output goes. */
  readonly logFile: string;
  /** How it ended, as `exit 1` or `SIGKILL`. */
  readonly exited: Promise<string>;
  /** Ends it and removes its folder. Safe to call twice. */
  stop(): Promise<void>;
  /** Signals it and waits for nothing: SIGKILL, or SIGSTOP and SIGCONT. */
  kill(signal: NodeJS.Signals): void;
}

export interface ServerPlan {
  readonly name: string;
  readonly command: string;
  readonly args: (port: number, folder: string) => readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: a free one. */
  readonly port?: number | undefined;
  /** Default: a temporary one, removed at stop. */
  readonly folder?: string;
  /** It is ready when its log says so; default: when its port answers. */
  readonly readyLine?: RegExp;
  /** Default SIGTERM, and SIGKILL 2 s later. */
  readonly stopSignal?: NodeJS.Signals;
}

const START_MS = 90_000;
const PORT_TAKEN = /EADDRINUSE|BindException|address already in use|failed to bind/i;

/** Starts it and waits until it is ready. Somebody may take the free port first: then it is tried again with another one. */
export async function startServer(plan: ServerPlan): Promise<Server> {
  for (let tries = 1; ; tries++) {
    const port = plan.port ?? (await freePort());
    const folder = plan.folder ?? temporaryFolder(plan.name);
    const logFile = join(folder, `${plan.name}-${Date.now()}.log`);
    const child = spawnGuarded(plan.command, plan.args(port, folder), { cwd: folder, output: logFile, ...(plan.env && { env: plan.env }) });
    const stop = async () => {
      await child.end(plan.stopSignal, 2000);
      if (!plan.folder) await removeFolder(folder);
    };
    const trouble = await ready(plan, child, { port, logFile });
    if (!trouble) return { endpoint: `http://${HOST}:${port}`, port, logFile, exited: child.exited, stop, kill: child.kill };
    const log = readLog(logFile);
    await stop();
    if (plan.port || tries === 3 || !PORT_TAKEN.test(log)) throw startFailure(plan, trouble, log);
  }
}

/** What went wrong, or nothing. */
async function ready(plan: ServerPlan, child: Child, at: { port: number; logFile: string }): Promise<string | undefined> {
  let end: string | undefined;
  child.exited.then(how => {
    end = how;
  });
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; await sleep(50)) {
    if (end) return `ended at once (${end})`;
    if (plan.readyLine ? plan.readyLine.test(readLog(at.logFile)) : await answers(at.port)) return undefined;
  }
  return `was not ready after ${START_MS / 1000} s`;
}

function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function startFailure(plan: ServerPlan, trouble: string, log: string): Error {
  const tail = log.trimEnd().split('\n').slice(-25).join('\n');
  return new Error(`${plan.name} (${plan.command}) ${trouble}. The end of its log:\n${tail || '(empty)'}`);
}
