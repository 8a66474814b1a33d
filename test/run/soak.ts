/** `npm run soak [-- NAME ...]`: the long forms of tests that `npm test` runs short, by the numbers that they take from the environment. */
import { endOnSignal, step, TOOLS } from './steps.ts';

const SOAKS: Readonly<Record<string, { readonly specs: readonly string[]; readonly env: Readonly<Record<string, string>> }>> = {
  kill: { specs: ['test/e2e/kill.spec.ts'], env: { KILLS: '20' } },
  stop: { specs: ['test/e2e/stop.spec.ts'], env: { STOPS: '10' } },
  isolation: { specs: ['test/e2e/isolation.spec.ts'], env: { FAULT_SECONDS: '60' } },
  brokers: { specs: ['test/e2e/kafka-brokers.soak.ts'], env: { FAULT_SECONDS: '60' } },
  memory: { specs: ['test/e2e/memory.spec.ts'], env: { CHANGES: '100000', FILE_SECONDS: '60' } },
  targets: { specs: ['test/e2e/bad-targets.spec.ts', 'test/e2e/new-stream.spec.ts'], env: { AWAY_SECONDS: '60', LONG: '1' } },
  partition: { specs: ['test/simulation/partition.spec.ts'], env: { SEEDS: '5000' } },
  workers: { specs: ['test/integration/fleet.spec.ts'], env: { FAULTS: '110', FREEZE_SECONDS: '30', COLD_STARTS: '10' } },
  lineage: { specs: ['test/integration/lineage.spec.ts'], env: { ROLLS: '12' } },
  mutations: { specs: ['test/simulation/mutations.spec.ts'], env: { SEEDS: '300' } },
  replication: { specs: ['test/simulation/replication*.spec.ts'], env: { WORLDS: '10000' } },
};

const names = process.argv.slice(2);
const unknown = names.filter(name => !(name in SOAKS));
if (unknown.length > 0) {
  console.error(`no soak ${unknown.join(', ')}; there are ${Object.keys(SOAKS).join(', ')}`);
  process.exit(2);
}
endOnSignal();
const built = await step('test/run/build.ts', [], { output: 'show' });
let failed = built.ok ? 0 : 1;
for (const [name, { specs, env }] of Object.entries(SOAKS)) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.log(`=== ${name}`);
  const { ok } = await step(TOOLS.mocha, [...specs, '--timeout', '3600000', '--reporter', 'spec'], {
    output: 'show',
    env,
    limitMs: 7_200_000,
  });
  if (!ok) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
