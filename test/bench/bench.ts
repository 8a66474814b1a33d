/** `npm run bench [-- NAME] [--json]`: figures beside a baseline of the same run. Trust CPU per unit first, ratios second, rates last. */
import { parseArgs } from 'node:util';
import { benchFormats } from './formats.ts';
import { benchLeases } from './leases.ts';
import { type Measured, table } from './measure.ts';
import { benchRead } from './read.ts';
import { benchWrite } from './write.ts';

/** Says its lines as they come, and answers them as data. */
type Bench = (say: (line: string) => void) => Promise<readonly object[]>;

/** Rates and CPU, as ratios to the first row. */
const ratios =
  (title: string, unit: string, run: () => Promise<Measured[]>): Bench =>
  async say => {
    const rows = await run();
    say(table(title, unit, rows));
    return rows;
  };

const BENCHES: Readonly<Record<string, Bench>> = {
  read: ratios('Reading: pages of 1,000 records, 1.3 MB, from a stub in a process of its own', 'records', benchRead),
  write: ratios('Writing into a replica: items of 500 bytes, batches of 250, 4 in flight', 'items', benchWrite),
  formats: ratios('Encoding one record', 'records', benchFormats),
  leases: benchLeases,
};

const { values, positionals } = parseArgs({ options: { json: { type: 'boolean', default: false } }, allowPositionals: true });
const unknown = positionals.filter(name => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}
for (const [name, bench] of Object.entries(BENCHES)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const rows = await bench(values.json ? () => {} : line => console.log(line));
  console.log(values.json ? JSON.stringify({ name, rows }) : '');
}
