/** `npm run bench [-- NAME] [--json]`: figures beside a baseline of the same run. Trust CPU per unit first, ratios second, rates last. */
import { parseArgs } from 'node:util';
import { benchFormats } from './formats.ts';
import { type Measured, table } from './measure.ts';
import { benchRead } from './read.ts';
import { benchWrite } from './write.ts';

interface Bench {
  readonly title: string;
  readonly unit: string;
  readonly run: () => Promise<Measured[]>;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  read: { title: 'Reading: pages of 1,000 records, 1.3 MB, from a stub in a process of its own', unit: 'records', run: benchRead },
  write: { title: 'Writing into a replica: items of 500 bytes, batches of 250, 4 in flight', unit: 'items', run: benchWrite },
  formats: { title: 'Encoding one record', unit: 'records', run: benchFormats },
};

const { values, positionals } = parseArgs({ options: { json: { type: 'boolean', default: false } }, allowPositionals: true });
const unknown = positionals.filter(name => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}
for (const [name, bench] of Object.entries(BENCHES)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const rows = await bench.run();
  console.log(values.json ? JSON.stringify({ name, rows }) : `${table(bench.title, bench.unit, rows)}\n`);
}
