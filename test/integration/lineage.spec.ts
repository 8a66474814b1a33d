/**
 * Shards of a real server that roll and are trimmed, under load, with the daemon as a process that is killed and started again. Short here, the long form
 * is `npm run soak -- lineage`: more rolls and kills, a downtime of generations, a sink that is paused until its shards are trimmed, and a downtime of more than a day of the server's.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { noFaketime } from '../servers/fast-dynamodb.ts';
import type { Running } from './cli-desk.ts';
import { lineageVerdict } from './lineage-verdict.ts';
import { LineageWorld, SINKS, until } from './lineage-world.ts';

const ROLLS = Number(process.env['ROLLS'] ?? 1);
const LONG = ROLLS > 1;
const SPEED = 1_000;
const HOUR_MS = 3_600_000 / SPEED;
const ROLL_MS = 4 * HOUR_MS;
/** A day of the server's. */
const RETENTION_MS = 24 * HOUR_MS;
const missing = await noFaketime();

async function verdicts(world: LineageWorld) {
  const gaps = await world.gaps();
  return SINKS.map(name => {
    const own = gaps.filter(({ sinks }) => sinks.includes(name));
    return { name, gaps: own, ...lineageVerdict(world.lines(name), world.truth, { gaps: own, parents: world.parents }) };
  });
}

/** Writes end, and each sink is given what is left; what is still missing then is lost. */
async function told(world: LineageWorld, what: string, limitMs = 120_000) {
  await world.quiet();
  const isGiven = async () => (await verdicts(world)).every(({ lost }) => lost.length === 0);
  await until('nothing is missing', isGiven, limitMs).catch(() => {});
  const all = await verdicts(world);
  for (const { name, gaps, records, duplicates, inGaps, lost, outOfOrder, afterChildren } of all) {
    console.log(
      `        ${what}, ${name}: ${world.shards} shards, ${world.truth.length} records, given ${records}, twice ${duplicates}, in ${gaps.length} gaps ${inGaps}, lost ${lost.length}, out of order ${outOfOrder.length}, after children ${afterChildren.length}`,
    );
  }
  for (const { name, lost, outOfOrder, afterChildren } of all) {
    expect([lost.slice(0, 3), outOfOrder.slice(0, 3), afterChildren.slice(0, 3)], name).to.deep.equal([[], [], []]);
  }
  return all;
}

async function stopped(worker: Running): Promise<void> {
  worker.process.kill('SIGTERM');
  expect((await worker.ended).code).to.equal('0');
}

describe('lineage on a server with a fast clock', function () {
  this.timeout(LONG ? 2_400_000 : 120_000);
  let world: LineageWorld | undefined;
  afterEach(() => world?.close());

  if (missing !== undefined) {
    console.log(missing);
    if (LONG) it('has its library', () => expect.fail(missing));
    return;
  }

  it('rollover-one-child: killed and started again when it rolls, nothing is lost, parents come before children', async () => {
    world = await LineageWorld.open(SPEED);
    const { shards } = world;
    let worker = await world.worker();
    for (let roll = 1; roll <= ROLLS; roll++) {
      await until('the shard rolls', () => (world?.shards ?? 0) >= shards + roll, 3 * ROLL_MS);
      await sleep(Math.random() * 1_000);
      worker.process.kill('SIGKILL');
      await worker.ended;
      worker = await world.worker();
    }
    for (const { gaps } of await told(world, 'kills')) expect(gaps).to.deep.equal([]);
    await stopped(worker);
  });

  if (!LONG) return;

  it('grandparent-chain-after-downtime: generations that passed without a reader come one after the other', async () => {
    world = await LineageWorld.open(SPEED);
    const first = await world.worker();
    await sleep(ROLL_MS / 2);
    await stopped(first);
    await sleep(4.5 * ROLL_MS);
    const second = await world.worker();
    for (const { gaps } of await told(world, 'generations')) expect(gaps).to.deep.equal([]);
    await stopped(second);
  });

  it('trimmed-while-reading: a sink that is paused for more than a day loses what is trimmed, with a gap, and no other does', async () => {
    world = await LineageWorld.open(SPEED);
    const worker = await world.worker();
    await sleep(ROLL_MS / 2);
    await world.pause('slow', true);
    await sleep(RETENTION_MS + 2 * ROLL_MS);
    world.pace(1);
    await world.pause('slow', false);
    const [quick, slow] = await told(world, 'paused', 600_000);
    expect([quick?.gaps, quick?.inGaps]).to.deep.equal([[], 0]);
    expect(slow?.inGaps).to.be.above(0);
    await stopped(worker);
  });

  it('trimmed-on-resume: after a downtime of more than a day each trimmed stretch is a gap, and the rest comes in order', async () => {
    world = await LineageWorld.open(SPEED);
    const first = await world.worker();
    await sleep(ROLL_MS / 2);
    first.process.kill('SIGKILL');
    await first.ended;
    await sleep(RETENTION_MS + 2 * ROLL_MS);
    world.pace(1);
    const second = await world.worker();
    for (const { name, inGaps } of await told(world, 'downtime', 600_000)) expect(inGaps, name).to.be.above(0);
    await stopped(second);
  });
});
