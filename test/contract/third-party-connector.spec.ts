/** A connector from a package outside the tree: found by its name as settings find it, held to the contract, run by the pipeline. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import { type Connector, SinkFault } from '../../src/connector.ts';
import { Budget } from '../../src/pipeline/budget.ts';
import { OpenSink } from '../../src/pipeline/open-sink.ts';
import { startRun } from '../../src/pipeline/run.ts';
import { loadSettings } from '../../src/settings/load.ts';
import { DELIVERY, memoryProgress, silentLog } from '../fakes/pipeline-world.ts';
import { batchOf, changeRecord, manyChanges, TableScript } from '../fakes/records.ts';
import { ScriptedReader } from '../fakes/scripted-reader.ts';
import { testHost } from '../fakes/test-host.ts';
import { describeSink } from './describe-sink.ts';
import type { Seen } from './sink/suite.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const home = project();
const connector = await connectorFromSettings();

/** Somebody's project: a settings file, and packages installed beside it. */
function project(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-third-party-'));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'tidemark'), { recursive: true });
  // The package's own files lie in node_modules, where no types are stripped; what it imports of Tidemark is the source.
  cpSync(join(ROOT, 'test/fakes/third-party-connector'), join(modules, 'tidemark-connector-example'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules/zod'), join(modules, 'zod'));
  writeFileSync(
    join(modules, 'tidemark/package.json'),
    JSON.stringify({ name: 'tidemark', exports: { './connector': './connector.mjs' } }),
  );
  writeFileSync(
    join(modules, 'tidemark/connector.mjs'),
    `export * from ${JSON.stringify(new URL('../../src/connector.ts', import.meta.url).href)};`,
  );
  writeFileSync(
    join(folder, 'settings.yaml'),
    `name: shop
pipelines:
  - name: orders
    source: { table: orders, region: us-east-1 }
    sinks:
      - { name: file, type: tidemark-connector-example, path: ${join(folder, 'changes.ndjson')}, batchSize: 50 }
`,
  );
  return folder;
}

async function connectorFromSettings(): Promise<Connector<unknown>> {
  const { settings } = await loadSettings({ files: [join(home, 'settings.yaml')], env: {} });
  const [sink] = settings.pipelines[0]?.sinks ?? [];
  if (sink === undefined) throw new Error('the settings have no sink');
  expect(sink.options).to.deep.equal({ path: join(home, 'changes.ndjson'), largestLine: 1_000_000 });
  return sink.connector;
}

function lines(path: string): Seen[] {
  if (!existsSync(path)) return [];
  const read = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return read.map(line => JSON.parse(line) as { id: string; after?: Seen['after'] }).map(({ id, after }) => ({ eventId: id, after }));
}

const fail = (error: Error): never => {
  throw error;
};

let files = 0;

describe('a connector from outside the tree', () => {
  after(() => rmSync(home, { recursive: true }));

  describeSink('tidemark-connector-example', {
    connector,
    sample: { path: 'x' },
    target: async () => {
      files += 1;
      const folder = join(home, `target-${files}`);
      const path = join(folder, 'changes.ndjson');
      mkdirSync(folder);
      return {
        options: { path },
        resource: path,
        readBack: async () => lines(path),
      };
    },
    promises: {
      keeps: 'log',
      partialFailure: 'whole-batch',
      replay: 'duplicates',
      tombstones: false,
      exactImages: true,
      recordLimit: { fits: 500_000, tooLarge: 1_000_001 },
    },
    cannot: {
      hang: 'a local disk answers or is broken',
      refuse: 'a file that is open can be written',
      loseAnswers: 'the system itself answers',
      throttle: 'a file knows only waiting',
      failRecords: 'a file takes a text, it knows of no records',
      deny: 'tests may run as a user who may do everything',
      remove: 'a file that is open can be written after it was removed; that a missing folder halts is tested below',
    },
    quietMs: 0,
  });

  it('says with our own fault what is missing', async () => {
    const folder = join(home, 'later');
    const options = { path: join(folder, 'changes.ndjson'), largestLine: 1_000 };
    const fault = await connector.open(options, testHost()).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(fault).to.be.instanceOf(SinkFault).and.to.include({ disposition: 'halt', heals: true });
    mkdirSync(`${folder}-made`);
    renameSync(`${folder}-made`, folder);
    const sink = await connector.open(options, testHost());
    expect(await sink.write(batchOf([changeRecord()]), new AbortController().signal)).to.deep.equal({ failed: [] });
    await sink.close();
  });

  it('is run by the pipeline as any other', async () => {
    const path = join(home, 'run.ndjson');
    const clock = systemClock;
    const reader = new ScriptedReader(clock, { pollMs: 5 });
    reader.records.push(...manyChanges(new TableScript(), 500, 9));
    reader.closed = true;
    const common = { clock, log: silentLog };
    const parts = {
      name: 'file',
      type: 'tidemark-connector-example',
      connector,
      options: { path, largestLine: 10_000 },
      delivery: DELIVERY,
    };
    const sink = new OpenSink({ ...common, ...parts, host: testHost(), fatal: fail });
    await sink.open();
    await new Promise<void>((resolve, reject) => {
      void startRun({
        ...common,
        labels: { pipeline: 'orders', table: 'orders', partition: reader.partition },
        reader,
        progress: memoryProgress(),
        sinks: [sink],
        admitted: new Set(['file']),
        startAt: () => ({ at: 'start' }),
        budget: new Budget({ limitBytes: 64 * 1024 * 1024, sinks: 1 }),
        random: systemRandom,
        observer: {},
        replayedBefore: 0,
        onEnd: () => resolve(),
        onGap: async () => reject(new Error('a gap')),
      });
    });
    await sink.close();
    expect(new Set(lines(path).map(({ eventId }) => eventId)).size).to.equal(500);
  });

  it('may bring its own copy of our contract: its faults count as ours', async () => {
    const copy: typeof import('../../src/connector.ts') = await import(`../../src/connector.ts?copy=${files}`);
    expect(copy.SinkFault).not.to.equal(SinkFault);
    expect(new copy.SinkFault('halt', 'no')).to.be.instanceOf(SinkFault);
    expect(new Error('no')).not.to.be.instanceOf(SinkFault);
  });
});
