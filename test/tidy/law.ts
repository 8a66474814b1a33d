/** Who may import whom, and circles. The arrows are those of src/ARCHITECTURE.md; a room is a folder of src/, or one of its few single files. */
import { dirname, join } from 'node:path/posix';
import type { Source } from './files.ts';
import { importsOf } from './syntax.ts';

const ARROWS: Readonly<Record<string, readonly string[]>> = {
  main: ['wiring', 'runners', 'settings', 'admin', 'ports', 'model'],
  wiring: ['adapters', 'settings', 'admin', 'connector', 'ports', 'model'],
  runners: ['pipeline', 'shards', 'replication', 'ports', 'model', 'connector'],
  admin: ['ports', 'model'],
  pipeline: ['connector', 'ports', 'model'],
  settings: ['connector', 'model'],
  adapters: ['ports', 'model'],
  shards: ['ports', 'model'],
  replication: ['ports', 'model'],
  formats: ['model'],
  connector: ['ports', 'model'],
  ports: ['model'],
  model: [],
  connectors: ['connector', 'model', 'ports', 'formats'],
};

/** Replica alone decides by the rules of replication. */
const CONNECTOR_EXTRAS: Readonly<Record<string, readonly string[]>> = { 'connectors/replica': ['replication'] };

/** These decide and do no I/O: of the platform they use only what computes. */
const PURE_ROOMS = new Set(['model', 'ports', 'pipeline', 'shards', 'replication', 'formats', 'connector']);
const PURE_MODULES = /^node:(assert|buffer|crypto|util|events)/;

/** Libraries that stand in one place, so that they can be replaced there. */
const LIBRARY_ROOMS: readonly (readonly [RegExp, RegExp])[] = [
  [/^@aws-sdk\/client-s3|^@aws-sdk\/lib-storage/, /^connectors\/s3$|^adapters$/],
  [/^@aws-sdk\/|^@smithy\/|^undici$/, /^adapters$|^connectors\/s3$/],
  [/^@opentelemetry\//, /^adapters$/],
  [/^pino|^@elastic\//, /^adapters$/],
  [/^convict$|^yaml$|^json5$/, /^settings$/],
  [/^kafkajs$/, /^connectors\/kafka$/],
  [/^commander$/, /^main$/],
];

/** The room of a file, or of none. */
export function roomOf(path: string): string | undefined {
  const [top, second = ''] = path.split('/');
  if (top === 'connectors') return path.split('/').length > 2 ? `connectors/${second}` : undefined;
  if (top !== 'src') return top;
  return second.replace(/\.ts$/, '').replace(/^main-.*/, 'main');
}

/** What an import means: a path of this repository, or a library's name. */
export function targetOf(path: string, name: string): { readonly path?: string; readonly library?: string } {
  return name.startsWith('.') ? { path: join(dirname(path), name) } : { library: name };
}

/** Each import that the law forbids. */
export function lawBreaks(source: Source): readonly string[] {
  const room = roomOf(source.path);
  if (!room) return [];
  return importsOf(source).flatMap(name => {
    const target = targetOf(source.path, name);
    const allowed = target.path ? mayImport(room, roomOf(target.path)) : mayUse(room, name);
    return allowed ? [] : [`${source.path} imports ${name}: ${room} may not`];
  });
}

function mayImport(from: string, to: string | undefined): boolean {
  if (from === to) return true;
  const arrows = from.startsWith('connectors/') ? [...(ARROWS['connectors'] ?? []), ...(CONNECTOR_EXTRAS[from] ?? [])] : ARROWS[from];
  if (!arrows) throw new Error(`src/${from} is a room that the import law does not know: add its arrows to test/tidy/law.ts`);
  return to !== undefined && arrows.includes(to);
}

function mayUse(room: string, library: string): boolean {
  if (PURE_ROOMS.has(room)) return PURE_MODULES.test(library) || (room === 'connector' && library === 'zod');
  const rule = LIBRARY_ROOMS.find(([name]) => name.test(library));
  return !rule || rule[1].test(room);
}

/** Each group of files that import each other in a loop. */
export function circles(files: readonly Source[]): readonly (readonly string[])[] {
  const known = new Map(files.map(source => [source.path, importedPaths(source)]));
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push([...trail.slice(at), path]);
    if (at >= 0 || done.has(path)) return;
    for (const next of known.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of known.keys()) visit(path, []);
  return found;
}

const importedPaths = (source: Source): readonly string[] => importsOf(source).flatMap(name => targetOf(source.path, name).path ?? []);
