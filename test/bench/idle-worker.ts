/** One daemon as a process that owns thousands of idle shards of a stub: what it takes of memory and CPU, and what it asks for, at rest. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type DaemonProcess, startDaemon } from '../run/daemon-process.ts';
import { removeFolder, spawnGuarded, temporaryFolder } from '../servers/child.ts';
import { freePort } from '../servers/ports.ts';

export interface IdleWorker {
  readonly shards: number;
  /** Ancestors of each shard, ended, with a row. */
  readonly generations: number;
  readonly idleMs: number;
  readonly seconds: number;
}

export interface Consumption {
  readonly startSeconds: number;
  readonly rssMiB: number;
  /** Of what lives: after a collection. */
  readonly heapMiB: number;
  readonly cpuMsPerSecond: number;
  /** A second, by operation. */
  readonly requests: Readonly<Record<string, number>>;
}

/** Each shard is asked thirty times in quick succession before it is taken for idle. */
const SETTLE_MS = 75_000;
const START_LIMIT_MS = 300_000;
const PROBE = `
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
const { PROBE_FILE: file } = process.env;
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
process.on('SIGUSR2', () => gc());
setInterval(() => {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  writeFileSync(file + '.new', JSON.stringify({ rss, heapUsed, cpuMs: (user + system) / 1000 }));
  renameSync(file + '.new', file);
}, 500).unref();
`;

interface Sample {
  readonly rss: number;
  readonly heapUsed: number;
  readonly cpuMs: number;
}

export async function idleWorker({ shards, generations, idleMs, seconds }: IdleWorker): Promise<Consumption> {
  const folder = temporaryFolder('idle');
  const stubFile = fileURLToPath(new URL('./stub-shards.ts', import.meta.url));
  const stub = spawnGuarded(process.execPath, [stubFile, String(shards), String(generations)], { cwd: folder, output: 'pipe' });
  const [port] = await once(stub.process.stdout ?? stub.process, 'data');
  const endpoint = `http://127.0.0.1:${String(port).trim()}`;
  const admin = await freePort();
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings({ endpoint, admin, idleMs })));
  writeFileSync(join(folder, 'probe.mjs'), PROBE);
  const probe = join(folder, 'sample');
  const startedAt = performance.now();
  const daemon = startDaemon({
    settings: [join(folder, 'settings.json')],
    admin: `http://127.0.0.1:${admin}`,
    logFile: join(folder, 'log'),
    env: { NODE_OPTIONS: `--import=${join(folder, 'probe.mjs')}`, PROBE_FILE: probe },
    from: 'src',
  });
  try {
    await daemon.ready(START_LIMIT_MS);
    while ((await daemon.status())?.pipelines[0]?.tables[0]?.shards.owned !== shards) {
      if (performance.now() - startedAt > START_LIMIT_MS)
        throw new Error(`the worker does not own its shards:\n${daemon.log().slice(-2000)}`);
      await sleep(200);
    }
    const startSeconds = (performance.now() - startedAt) / 1_000;
    await sleep(SETTLE_MS);
    const measured = await watched({ daemon, probe, endpoint, seconds });
    return { startSeconds, ...measured };
  } finally {
    await daemon.kill();
    await stub.end();
    await removeFolder(folder);
  }
}

interface Watch {
  readonly daemon: DaemonProcess;
  readonly probe: string;
  readonly endpoint: string;
  readonly seconds: number;
}

async function watched({ daemon, probe, endpoint, seconds }: Watch) {
  const sample = (): Sample => JSON.parse(readFileSync(probe, 'utf8'));
  const asked = async (): Promise<Record<string, number>> => (await (await fetch(endpoint)).json()) as Record<string, number>;
  const before = { sample: sample(), asked: await asked(), at: performance.now() };
  const samples: Sample[] = [];
  for (let at = 0; at < seconds; at++) {
    await sleep(1_000);
    samples.push(sample());
  }
  const passed = (performance.now() - before.at) / 1_000;
  const last = samples.at(-1) ?? before.sample;
  const now = await asked();
  const collected: number[] = [];
  for (let tries = 0; tries < 10; tries++) {
    daemon.child.kill('SIGUSR2');
    await sleep(600);
    collected.push(sample().heapUsed);
  }
  const requests = Object.entries(now).map(([name, count]) => [name, (count - (before.asked[name] ?? 0)) / passed] as const);
  return {
    rssMiB: Math.max(...samples.map(({ rss }) => rss)) / 2 ** 20,
    heapMiB: Math.min(...collected) / 2 ** 20,
    cpuMsPerSecond: (last.cpuMs - before.sample.cpuMs) / passed,
    requests: Object.fromEntries(requests.filter(([, rate]) => rate > 0)),
  };
}

function settings({ endpoint, admin, idleMs }: { endpoint: string; admin: number; idleMs: number }) {
  const place = { region: 'us-east-1', endpoint, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
  return {
    name: 'shop',
    state: place,
    admin: { port: admin },
    pipelines: [
      {
        name: 'orders',
        source: { ...place, table: 'orders', startingPosition: 'LATEST', pollMilliseconds: 250, idleMilliseconds: idleMs },
        sinks: [{ name: 'eu', type: 'drop' }],
      },
    ],
  };
}
