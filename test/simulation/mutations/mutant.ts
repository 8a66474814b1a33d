/**
 * A simulation over a source with some text changed: a weakened rule, as a test of the checkers needs it, without flags in what runs in production. The
 * whole graph of modules is loaded once more under a query of its own, and the changed files are patched while they are loaded.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

export interface Patch {
  /** From the root of the repository. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
}

/** Worlds of one daemon and its lives, or of several at once. */
export type WorldName = 'daemon' | 'fleet';

/** Throws a Broken of its graph of modules when a law was broken. */
export type Simulation = (seed: number) => Promise<unknown>;

const ROOT = new URL('../../..', import.meta.url).href;
const OURS = ['src/', 'test/'].map(folder => ROOT + folder);
let made = 0;

/** Throws when a patch does not fit the source any more. */
export async function mutant(world: WorldName, patches: readonly Patch[]): Promise<Simulation> {
  for (const patch of patches) patched(readFileSync(fileURLToPath(new URL(patch.file, ROOT)), 'utf8'), patch);
  made += 1;
  const query = `?mutant=${made}`;
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const isOurs = context.parentURL?.endsWith(query) === true && OURS.some(folder => found.url.startsWith(folder));
      return isOurs ? { ...found, url: found.url + query } : found;
    },
    load(url, context, next) {
      const loaded = next(url, context);
      const meant = url.endsWith(query) ? patches.filter(({ file }) => url === ROOT + file + query) : [];
      if (meant.length === 0 || loaded.source === undefined || loaded.source === null) return loaded;
      const text = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
      return { ...loaded, source: meant.reduce(patched, text) };
    },
  });
  const load = async <M>(path: string) => (await import(new URL(path, import.meta.url).href + query)) as M;
  try {
    if (world === 'daemon') return (await load<typeof import('../daemon/simulate.ts')>('../daemon/simulate.ts')).simulate;
    return (await load<typeof import('../daemon/fleet.ts')>('../daemon/fleet.ts')).simulateFleet;
  } finally {
    hooks.deregister();
  }
}

function patched(text: string, { file, from, to }: Patch): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`the patch of ${file} fits ${parts.length - 1} times, not once: ${from}`);
  return parts.join(to);
}
