/**
 * `npm run sim -- --seeds N [--from SEED]`: that many worlds of one daemon and as many of several, with progress, and exit 1 at the first broken law with
 * its seed and the last events before it. `--workers one` or `--workers several`: only these. `--keep-going` goes on after a broken law and lists all of
 * them in the end. `SEED=n npm run sim` replays a seed's worlds exactly, and `-- --all` prints everything that happens in them.
 */
import { parseArgs } from 'node:util';
import { simulateFleet } from './daemon/fleet.ts';
import { Broken } from './daemon/history.ts';
import type { Outcome } from './daemon/judge.ts';
import { simulate } from './daemon/simulate.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string' },
    verbose: { type: 'boolean' },
    all: { type: 'boolean' },
    'keep-going': { type: 'boolean' },
    workers: { type: 'string' },
  },
});
const from = Number(values.from ?? process.env['SEED'] ?? 1);
const seeds = Number(values.seeds ?? (process.env['SEED'] === undefined ? 200 : 1));
const worlds = Object.entries({ one: simulate, several: simulateFleet }).filter(([workers]) => workers === (values.workers ?? workers));
if (!Number.isInteger(from) || !Number.isInteger(seeds) || seeds < 1 || worlds.length === 0) {
  console.error('usage: npm run sim -- --seeds N [--from SEED] [--workers one|several] [--keep-going]');
  process.exit(2);
}

const EVERY_MS = 5_000;
const startedAt = performance.now();
const perSecond = (done: number) => (done / ((performance.now() - startedAt) / 1000)).toFixed(1);
let saidAt = startedAt;
const broken: string[] = [];
const sum = { records: 0, crashes: 0, gaps: 0, shards: 0, virtualMs: 0, isolationMs: Number.NEGATIVE_INFINITY };

for (let seed = from; seed < from + seeds; seed++) {
  for (const [workers, world] of worlds) {
    const outcome = await world(seed, values.all ? line => console.log(line) : undefined).catch((error: unknown) => ended(error, workers));
    if (outcome !== undefined) add(outcome);
    if (values.verbose) console.log(`seed ${seed}, ${workers}: ${JSON.stringify(outcome)}`);
  }
  if (performance.now() - saidAt < EVERY_MS) continue;
  saidAt = performance.now();
  const done = seed - from + 1;
  console.log(`${done} of ${seeds} seeds, ${broken.length} broken, ${perSecond(done)} a second`);
}
const hours = (sum.virtualMs / 3_600_000).toFixed(1);
// Worlds of several workers have no healthy sink that is held against a reference.
const isolation = Number.isFinite(sum.isolationMs)
  ? `; the healthy sink at most ${(sum.isolationMs / 1000).toFixed(1)} s behind the reference`
  : '';
console.log(
  `${seeds} seeds from ${from}, ${broken.length} laws broken, ${perSecond(seeds)} seeds a second: ${sum.records} changes in ${sum.shards} shards, ${sum.crashes} crashes, ` +
    `${sum.gaps} gaps, ${hours} h of virtual time${isolation}`,
);
for (const message of broken) console.log(message);
if (broken.length > 0) process.exit(1);

function add(outcome: Outcome): void {
  for (const name of ['records', 'crashes', 'gaps', 'shards', 'virtualMs'] as const) sum[name] += outcome[name];
  sum.isolationMs = Math.max(sum.isolationMs, outcome.isolationMs);
}

function ended(error: unknown, workers: string): undefined {
  if (!(error instanceof Broken)) throw error;
  if (values['keep-going']) {
    console.log(`${error.message} (workers: ${workers})`);
    broken.push(`${error.message} (workers: ${workers})`);
    return;
  }
  console.log(error.tail.join('\n'));
  console.log(`${error.message}\nSEED=${error.message.match(/\d+/)} npm run sim -- --workers ${workers} shows it again`);
  process.exit(1);
}
