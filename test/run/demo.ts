/**
 * `npm run demo`: the whole job before your eyes. Starts local servers and the real daemon with config/local.yaml, writes a stream of orders, and shows
 * what arrives where until Ctrl-C. `--records N --exit` writes N changes, kills the daemon with SIGKILL half way, starts it again, then holds every
 * target against what was written; it ends 0 only if nothing differs.
 */
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { removeFolder, temporaryFolder } from '../servers/child.ts';
import { asked } from './asked.ts';
import { type DaemonProcess, startDaemon } from './daemon-process.ts';
import { checkTargets, summary } from './demo-check.ts';
import { doneIn, screen } from './demo-screen.ts';
import { probeReplica } from './lag-probe.ts';
import { type OrderWriter, orderWriter } from './order-writer.ts';
import { type KafkaWatch, watchKafka } from './read-back.ts';
import { startWorld, type World } from './world.ts';

const { values } = parseArgs({
  options: { records: { type: 'string' }, exit: { type: 'boolean', default: false }, rate: { type: 'string' } },
});
const records = values.records === undefined ? undefined : Number(values.records);
if (records !== undefined && !(Number.isInteger(records) && records > 0)) {
  console.error('--records takes a whole number above 0');
  process.exit(2);
}
const perSecond = Number(values.rate ?? (records === undefined ? 50 : 1500));

const ending = asked();
const stop = new AbortController();
void ending.then(() => stop.abort());
const folder = temporaryFolder('demo');
const view = screen(process.stdout);
const earlier = new Map<string, number>();
let daemon: DaemonProcess | undefined;

const code = await Promise.race([demo(), ending.then(signal => (values.exit ? 128 + constants.signals[signal] : 0))]);
await daemon?.stop();
process.exit(code);

async function demo(): Promise<number> {
  console.log('Starting local servers (what is not in the cache yet is fetched once) ...');
  const world = await startWorld(line => console.log(`  ${line}`));
  try {
    if (world.leftOut) console.log(`  ${world.leftOut}.`);
    return await play(world);
  } finally {
    await daemon?.stop();
    await world.stop();
    await removeFolder(folder);
  }
}

async function play(world: World): Promise<number> {
  const { places } = world;
  const settings = join(folder, 'settings.yaml');
  writeFileSync(settings, world.settings);
  const start = () => startDaemon({ settings: [settings], admin: places.admin, logFile: join(folder, 'daemon.log'), from: 'src' });
  daemon = start();
  await daemon.ready();
  view.say(
    `\nThe daemon follows table ${places.source.table}. Status: ${places.admin}/status, metrics: ${places.admin}/metrics\n(Its lag counts from the stream's times, which a local server cuts to the minute; the summary's is measured.)\n`,
  );
  const writer = orderWriter(places.source);
  const kafka = places.kafka && (await watchKafka(places.kafka));
  const done = new AbortController();
  const lags = probeReplica(places, writer, AbortSignal.any([done.signal, stop.signal]));
  const drawing = draw(writer, done.signal);
  if (records === undefined) await writer.write(Number.POSITIVE_INFINITY, { perSecond, signal: stop.signal });
  else {
    await writer.write(Math.floor(records / 2), { perSecond, signal: stop.signal });
    const rest = writer.write(Math.ceil(records / 2), { perSecond, signal: stop.signal });
    await killAndStart(start);
    await rest;
    view.say(`All ${writer.written} changes are written; waiting until the sinks have them ...`);
    await caughtUp(writer);
  }
  done.abort();
  await drawing;
  view.end();
  writer.close();
  if (records === undefined || !values.exit) return waitOrLeave();
  return report(world, { writer, kafka, lags: await lags });
}

async function waitOrLeave(): Promise<number> {
  view.say('\nCtrl-C ends the demo.');
  await ending;
  return 0;
}

async function killAndStart(start: () => DaemonProcess): Promise<void> {
  const last = await daemon?.status();
  for (const sink of last?.pipelines[0]?.sinks ?? []) earlier.set(sink.name, (earlier.get(sink.name) ?? 0) + doneIn(sink));
  await daemon?.kill();
  view.say(`${clock()}  SIGKILL: the daemon is gone, in the middle of its work; orders go on being written`);
  const killedAt = Date.now();
  await new Promise(resolve => setTimeout(resolve, 1000));
  daemon = start();
  await daemon.ready();
  view.say(`${clock()}  a new worker is up; it waits until the dead one's leases have not moved for their 10 s`);
  await reads(daemon);
  const seconds = ((Date.now() - killedAt) / 1000).toFixed(1);
  view.say(`${clock()}  RECOVERED: it took the leases and goes on from the saved positions, ${seconds} s after the kill`);
}

/** Resolves when some sink is given records. */
async function reads(started: DaemonProcess): Promise<void> {
  const until = Date.now() + 60_000;
  while (!stop.signal.aborted) {
    const sinks = (await started.status())?.pipelines[0]?.sinks ?? [];
    if (sinks.some(sink => (sink.read ?? 0) > 0)) return;
    if (Date.now() > until) throw new Error('the new worker read nothing within 60 s');
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}

async function draw(writer: OrderWriter, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !stop.signal.aborted) {
    view.show({ status: await daemon?.status(), written: writer.written, target: records, earlier });
    await new Promise(resolve => setTimeout(resolve, 250));
  }
}

/** Nothing is outstanding anywhere, twice in a row. */
async function caughtUp(writer: OrderWriter): Promise<void> {
  const until = Date.now() + 180_000;
  for (let quiet = 0; quiet < 4; ) {
    if (stop.signal.aborted) return;
    if (Date.now() > until) throw new Error(`the sinks did not catch up with ${writer.written} changes within 180 s`);
    const sinks = (await daemon?.status())?.pipelines[0]?.sinks ?? [];
    const idle = sinks.length > 0 && sinks.every(sink => sink.open === 0 && sink.lagSeconds === 0 && (sink.read ?? 0) > 0);
    quiet = idle ? quiet + 1 : 0;
    await new Promise(resolve => setTimeout(resolve, 250));
  }
}

async function report(world: World, got: { writer: OrderWriter; kafka: KafkaWatch | undefined; lags: readonly number[] }): Promise<number> {
  view.say('Holding every target against what was written ...\n');
  const verdicts = await checkTargets(world.places, { history: got.writer.history, kafka: got.kafka, replicaLagMs: got.lags });
  for (const line of summary(verdicts, { written: got.writer.written, leftOut: world.leftOut })) console.log(line);
  return verdicts.every(verdict => verdict.ok) ? 0 : 1;
}

function clock(): string {
  return new Date().toISOString().slice(11, 19);
}
