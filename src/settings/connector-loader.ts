/**
 * Finds connectors by name: a folder of `connectors/`, else a package, looked for as Node does from each settings file's folder, from where the process
 * was started, and from where we are installed. Only what the settings name is loaded.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Connector } from '../connector.ts';
import { jsonSchemaOf } from './schema-shape.ts';

const HOME = fileURLToPath(new URL('../../connectors/', import.meta.url));
/** Built to `dist`, a connector is JavaScript as we are. */
const ENTRY = import.meta.url.endsWith('.ts') ? 'index.ts' : 'index.js';
const PACKAGE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

/** The connector, or why there is none. */
export type LoadedConnector = { readonly connector: Connector<unknown> } | { readonly problem: string };

/** The types that come with us, sorted. */
export function builtInTypes(): readonly string[] {
  if (!existsSync(HOME)) return [];
  return readdirSync(HOME)
    .filter(name => existsSync(join(HOME, name, ENTRY)))
    .sort();
}

export async function loadConnectors(types: Iterable<string>, folders: readonly string[]): Promise<ReadonlyMap<string, LoadedConnector>> {
  const names = [...new Set(types)];
  return new Map(await Promise.all(names.map(async type => [type, await loadConnector(type, folders)] as const)));
}

async function loadConnector(type: string, folders: readonly string[]): Promise<LoadedConnector> {
  const entry = builtInTypes().includes(type) ? join(HOME, type, ENTRY) : packageEntry(type, folders);
  if (entry === undefined) {
    return { problem: `no connector of this type; there are: ${builtInTypes().join(', ')}, and installed packages by their names` };
  }
  try {
    const module: { default?: unknown } = await import(pathToFileURL(entry).href);
    if (!isConnector(module.default)) return { problem: 'not a connector: its default export must have schema, traits and open' };
    jsonSchemaOf(module.default.schema);
    return { connector: module.default };
  } catch (error) {
    return { problem: `the connector cannot be loaded: ${String((error as Error).message).split('\n')[0]}` };
  }
}

function isConnector(value: unknown): value is Connector<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const { schema, traits, open } = value as Partial<Connector<unknown>>;
  return typeof schema?.safeParse === 'function' && typeof traits === 'function' && typeof open === 'function';
}

function packageEntry(name: string, folders: readonly string[]): string | undefined {
  if (!PACKAGE_NAME.test(name)) return undefined;
  const starts = [...folders, process.cwd(), fileURLToPath(new URL('.', import.meta.url))];
  const homes = starts.flatMap(folder => createRequire(join(folder, 'x.js')).resolve.paths(name) ?? []);
  const home = homes.map(folder => join(folder, name)).find(folder => existsSync(join(folder, 'package.json')));
  return home === undefined ? undefined : join(home, entryOf(JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))));
}

/** `require.resolve` refuses a package that exports itself for `import` only, so its `exports` are read here. */
function entryOf({ exports, main }: { readonly exports?: unknown; readonly main?: string }): string {
  const root = typeof exports === 'object' && exports !== null && '.' in exports ? exports['.'] : exports;
  return targetOf(root) ?? main ?? 'index.js';
}

function targetOf(target: unknown): string | undefined {
  if (typeof target === 'string') return target;
  if (Array.isArray(target)) return target.map(targetOf).find(found => found !== undefined);
  if (typeof target !== 'object' || target === null) return undefined;
  return Object.entries(target)
    .filter(([condition]) => ['node', 'import', 'module-sync', 'default'].includes(condition))
    .map(([, inner]) => targetOf(inner))
    .find(found => found !== undefined);
}
