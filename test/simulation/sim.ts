/**
 * `npm run sim -- --seeds N [--from SEED]`: that many worlds of the whole daemon, with progress, and exit 1 at the first broken law with its seed and the
 * last events before it. `--keep-going` goes on after a broken law and lists all of them in the end. `SEED=n npm run sim` replays one world exactly,
 * and `-- --all` prints everything that happens in it.
 */
import { parseArgs } from 'node:util';
import { Broken } from './daemon/history.ts';
import { type Outcome, simulate } from './daemon/simulate.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string' },
    verbose: { type: 'boolean' },
    all: { type: 'boolean' },
    'keep-going': { type: 'boolean' },
  },
});
const from = Number(values.from ?? process.env['SEED'] ?? 1);
const seeds = Number(values.seeds ?? (process.env['SEED'] === undefined ? 200 : 1));
if (!Number.isInteger(from) || !Number.isInteger(seeds) || seeds < 1) {
  console.error('usage: npm run sim -- --seeds N [--from SEED] [--keep-going]');
  process.exit(2);
}

const EVERY_MS = 5_000;
const startedAt = performance.now();
const perSecond = (done: number) => (done / ((performance.now() - startedAt) / 1000)).toFixed(1);
let saidAt = startedAt;
const broken: string[] = [];
const sum = { records: 0, crashes: 0, gaps: 0, shards: 0, virtualMs: 0, isolationMs: Number.NEGATIVE_INFINITY };

for (let seed = from; seed < from + seeds; seed++) {
  const outcome = await simulate(seed, values.all ? line => console.log(line) : undefined).catch((error: unknown) => ended(error));
  if (outcome !== undefined) add(outcome);
  if (values.verbose) console.log(`seed ${seed}: ${JSON.stringify(outcome)}`);
  if (performance.now() - saidAt < EVERY_MS) continue;
  saidAt = performance.now();
  const done = seed - from + 1;
  console.log(`${done} of ${seeds} seeds, ${broken.length} broken, ${perSecond(done)} a second`);
}
const hours = (sum.virtualMs / 3_600_000).toFixed(1);
console.log(
  `${seeds} seeds from ${from}, ${broken.length} laws broken, ${perSecond(seeds)} seeds a second: ${sum.records} changes in ${sum.shards} shards, ${sum.crashes} crashes, ` +
    `${sum.gaps} gaps, ${hours} h of virtual time; the healthy sink at most ${(sum.isolationMs / 1000).toFixed(1)} s behind the reference`,
);
for (const message of broken) console.log(message);
if (broken.length > 0) process.exit(1);

function add(outcome: Outcome): void {
  for (const name of ['records', 'crashes', 'gaps', 'shards', 'virtualMs'] as const) sum[name] += outcome[name];
  sum.isolationMs = Math.max(sum.isolationMs, outcome.isolationMs);
}

function ended(error: unknown): undefined {
  if (!(error instanceof Broken)) throw error;
  if (values['keep-going']) {
    console.log(error.message);
    broken.push(error.message);
    return;
  }
  console.log(error.tail.join('\n'));
  console.log(`${error.message}\nSEED=${error.message.match(/\d+/)} npm run sim shows it again`);
  process.exit(1);
}
