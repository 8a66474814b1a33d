/** A folder with settings files and a connector package of somebody else, for the tests of this folder. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LoadOptions, loadSettings } from '../../../src/settings/load.ts';
import { SettingsError } from '../../../src/settings/problem.ts';
import type { LoadedSettings } from '../../../src/settings/settings.ts';

const FAKE_SINK = `
import { z } from 'zod';
export default {
  schema: z.strictObject({
    target: z.string(),
    size: z.int().min(1).max(100).default(5),
    loud: z.boolean().default(false),
    mode: z.enum(['fast', 'slow']).default('fast'),
    password: z.string().optional().meta({ secret: true }),
    brokers: z.array(z.string()).optional(),
    tags: z.record(z.string(), z.string()).optional(),
    login: z.discriminatedUnion('by', [
      z.strictObject({ by: z.literal('name'), user: z.string(), pass: z.string().meta({ secret: true }) }),
      z.strictObject({ by: z.literal('role') }),
    ]).optional(),
    picky: z.string().refine(v => v !== 'x', { error: issue => 'does not like ' + issue.input }).optional(),
  }),
  traits: options => {
    if (options.target === 'refuse') throw new Error('no ' + options.target);
    return {
      order: options.mode === 'slow' ? 'partition' : 'key', coalesce: 'never', oncePerKey: false, inFlight: 1,
      batch: { records: 10, bytes: 1000, waitMs: 0 }, timeoutMs: 1000,
    };
  },
  open: async () => { throw new Error('never opened here'); },
};
`;

export interface Workshop {
  readonly folder: string;
  /** Writes a file and gives its path. */
  file(name: string, text: string): string;
  /** A package in node_modules; without `entry` it exports `import` only. */
  pack(name: string, source: string, manifest?: object): void;
  remove(): void;
}

export function workshop(): Workshop {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-settings-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const pack = (name: string, source: string, manifest: object = { exports: { '.': { import: './index.mjs' } } }): void => {
    mkdirSync(join(folder, 'node_modules', name), { recursive: true });
    file(join('node_modules', name, 'package.json'), JSON.stringify({ name, ...manifest }));
    file(join('node_modules', name, 'index.mjs'), source);
  };
  pack('fake-sink', FAKE_SINK);
  symlinkSync(fileURLToPath(new URL('../../../node_modules/zod', import.meta.url)), join(folder, 'node_modules', 'zod'));
  return { folder, file, pack, remove: () => rmSync(folder, { recursive: true }) };
}

/** One pipeline with one sink; further lines of the sink, the source and the top can be given. */
export function yaml(more: { top?: string; source?: string; sink?: string; name?: string } = {}): string {
  return `name: ${more.name ?? 'shop'}
${more.top ?? ''}
pipelines:
  - name: orders
    source:
      table: orders
${indented(more.source, 6)}
    sinks:
      - name: eu
        type: fake-sink
        target: there
${indented(more.sink, 8)}
`;
}

function indented(text: string | undefined, spaces: number): string {
  return (text ?? '').replaceAll(/^/gm, ' '.repeat(spaces));
}

export async function loaded(file: string | readonly string[], more: Partial<LoadOptions> = {}): Promise<LoadedSettings> {
  return loadSettings({ files: typeof file === 'string' ? [file] : file, env: {}, ...more });
}

/** The lines of the error that loading ends with; the folder is cut off. */
export async function mistakes(file: string | readonly string[], more: Partial<LoadOptions> = {}): Promise<string[]> {
  try {
    await loaded(file, more);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.message.replaceAll(/\/\S*\/tidemark-settings-\w+\//g, '').split('\n');
  }
  return [];
}
