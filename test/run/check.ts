/** `npm run check`: types, lint, import law and house rules, unused code, unit tests; side by side, in under a minute. Only what fails is printed whole. */
import { endOnSignal, step, TOOLS } from './steps.ts';
import { runTier } from './tier-run.ts';
import { UNIT } from './tiers.ts';

const LIMIT_MS = 120_000;

interface Check {
  readonly name: string;
  readonly run: () => Promise<{ ok: boolean; output: string }>;
}

const tool =
  (file: string, ...args: readonly string[]) =>
  () =>
    step(file, args, { output: 'keep', limitMs: LIMIT_MS });

const lanes: readonly (readonly Check[])[] = [
  [
    { name: 'types', run: tool(TOOLS.tsc, '-p', 'tsconfig.json') },
    { name: 'lint', run: tool(TOOLS.biome, 'check', '--error-on-warnings') },
    { name: 'unused code', run: tool(TOOLS.knip) },
  ],
  [{ name: UNIT.name, run: unitTests }],
];

async function unitTests(): Promise<{ ok: boolean; output: string }> {
  const { counts, output } = await runTier(UNIT, 'keep');
  return { ok: counts.failed === 0, output };
}

/** Whether it went well. */
async function runLane(lane: readonly Check[]): Promise<boolean> {
  let ok = true;
  for (const check of lane) {
    const start = performance.now();
    const result = await check.run();
    ok &&= result.ok;
    console.log(`${result.ok ? 'ok    ' : 'FAILED'} ${check.name.padEnd(14)} ${((performance.now() - start) / 1000).toFixed(1)} s`);
    if (!result.ok) console.log(result.output);
  }
  return ok;
}

endOnSignal();
const oks = await Promise.all(lanes.map(runLane));
process.exitCode = oks.every(ok => ok) ? 0 : 1;
