/**
 * `npm run build`: what is published, in dist/. It is compiled beside its place and moved there when complete, so that a daemon that is started
 * meanwhile finds either the old files or the new ones.
 */
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endOnSignal, ROOT, step, TOOLS } from './steps.ts';

const SHEBANG = '#!/usr/bin/env node\n';

/** Whether it went well; what the compiler found is printed. */
export async function build(): Promise<boolean> {
  const part = join(ROOT, '.cache', `dist-${process.pid}`);
  const compiled = await step(TOOLS.tsc, ['-p', 'src/tsconfig.build.json', '--outDir', part], { output: 'show', limitMs: 120_000 });
  if (compiled.ok) {
    makeExecutable(join(part, 'src', 'main.js'));
    const dist = join(ROOT, 'dist');
    const old = `${part}-old`;
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(part, dist);
    rmSync(old, { recursive: true, force: true });
  }
  rmSync(part, { recursive: true, force: true });
  return compiled.ok;
}

function makeExecutable(file: string): void {
  if (!existsSync(file)) return;
  const text = readFileSync(file, 'utf8');
  if (!text.startsWith('#!')) writeFileSync(file, SHEBANG + text);
  chmodSync(file, 0o755);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  endOnSignal();
  process.exitCode = (await build()) ? 0 : 1;
}
