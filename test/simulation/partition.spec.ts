/**
 * One partition under a seed: random targets (slow, refusing a part, hanging, lying that they failed, throttling), random traits, pauses, a small
 * budget, and crashes after which a new run goes on from what was saved. The checkers hold laws 1, 2, 5, 6 and 8 over everything that happened.
 */
import { expect } from 'chai';
import type { Traits } from '../../src/connector.ts';
import type { Position } from '../../src/model/position.ts';
import { Budget } from '../../src/pipeline/budget.ts';
import {
  accountsAreRight,
  type Behaviour,
  doneButFailed,
  hangs,
  manyRecords,
  memoryProgress,
  outOfOrder,
  ScriptedTarget,
  startWorld,
  throttles,
  writesAll,
} from '../fakes/pipeline-world.ts';
import { ScriptedReader } from '../fakes/scripted-reader.ts';
import { seededRandom, virtualClock } from '../fakes/virtual-clock.ts';

type Dice = ReturnType<typeof seededRandom>;

const SEEDS = Number(process.env['SEEDS'] ?? 200);
const FROM = Number(process.env['SEED'] ?? 1);

/** Fails some records of a batch and, as the contract asks, every later record of their keys. */
const partial =
  (dice: Dice): Behaviour =>
  async (batch, { target }) => {
    const failedKeys = new Set<string>();
    const failed: { index: number; disposition: 'retry'; reason: string }[] = [];
    for (const [index, record] of batch.records.entries()) {
      if (dice.chance(0.1)) failedKeys.add(target.traits.order === 'partition' ? '' : record.key);
      const fails = failedKeys.has(target.traits.order === 'partition' ? '' : record.key);
      if (fails) failed.push({ index, disposition: 'retry', reason: 'throttled' });
      else target.store([record]);
    }
    return { failed };
  };

function troubled(dice: Dice): Behaviour {
  const some = partial(dice);
  return (batch, at) => {
    const roll = dice.next();
    if (roll < 0.03) return hangs(batch, at);
    if (roll < 0.1) return doneButFailed(batch, at);
    if (roll < 0.15) return throttles(batch, at);
    if (roll < 0.3) return some(batch, at);
    return writesAll(roll < 0.4 ? 500 : 1 + dice.integer(20))(batch, at);
  };
}

function someTraits(dice: Dice): Partial<Traits> {
  const order = (['key', 'key', 'partition', 'none'] as const)[dice.integer(4)] ?? 'key';
  return {
    order,
    coalesce: order === 'key' && dice.chance(0.3) ? 'latest-per-key' : 'never',
    oncePerKey: dice.chance(0.3),
    inFlight: 1 + dice.integer(6),
    batch: { records: 1 + dice.integer(50), bytes: 20_000, waitMs: dice.chance(0.5) ? 0 : dice.integer(300) },
    ...(order === 'key' && dice.chance(0.3) && { group: record => `g${record.key.length + (record.key.charCodeAt(2) % 3)}` }),
  };
}

async function simulate(seed: number): Promise<void> {
  const dice = seededRandom(seed);
  const clock = virtualClock();
  const reader = new ScriptedReader(clock, { pageRecords: 1 + dice.integer(200), pollMs: 250 });
  const records = manyRecords(200 + dice.integer(1500), 1 + dice.integer(60), { bytes: 100 + dice.integer(4000) });
  reader.records.push(...records.slice(0, dice.integer(records.length)));
  const progress = memoryProgress();
  const targets = Object.fromEntries(
    Array.from({ length: 1 + dice.integer(3) }, (_, i) => [`s${i}`, new ScriptedTarget(someTraits(dice), troubled(dice))]),
  );
  const checkpoints = watchCheckpoints(progress.positions, targets);
  for (let life = 0; ; life += 1) {
    const healthy = life >= 4;
    if (healthy) for (const target of Object.values(targets)) target.behaviour = writesAll();
    if (life >= 2) {
      reader.records.splice(0, reader.records.length, ...records);
      reader.closed = true;
    }
    const budget = new Budget({ limitBytes: 1_000_000 + dice.integer(8_000_000), sinks: Object.keys(targets).length });
    const world = await startWorld({
      clock,
      reader,
      progress,
      targets,
      budget,
      seed: seed + life,
      delivery: { windowBytes: 50_000 + dice.integer(200_000) },
    });
    const outcome = world.run.done.then(end => end);
    if (healthy) {
      await clock.runUntil(outcome, { maxMs: 3_600_000 });
      expect(await outcome, 'ended').to.equal('ended');
    } else {
      for (let step = 0; step < 10; step += 1) {
        await clock.advance(dice.integer(2_000));
        checkpoints.check();
        const sink = [...world.sinks.values()][dice.integer(world.sinks.size)];
        if (dice.chance(0.2)) sink?.pause();
        else sink?.resume();
      }
      if (dice.chance(0.5)) world.run.fence();
      else await clock.runUntil(world.run.stop(2_000), { maxMs: 120_000 });
      await clock.runUntil(world.run.settled(), { maxMs: 120_000 });
    }
    checkpoints.check();
    expect(budget.usedBytes, 'bytes held after the run').to.equal(0);
    for (const sink of world.sinks.values()) {
      expect(accountsAreRight(sink), `accounts of ${sink.name}: ${JSON.stringify(sink.accounts.counts)}`).to.equal(true);
      expect(sink.accounts.counts.open).to.equal(0);
      await clock.runUntil(sink.close());
    }
    if (healthy) break;
  }
  expect(reader.mostOpen, 'readings at a time').to.be.at.most(2);
  for (const [name, target] of Object.entries(targets)) checkTarget(name, target, records);
}

function checkTarget(name: string, target: ScriptedTarget, records: ReturnType<typeof manyRecords>): void {
  const tokens = new Set(target.delivered.map(record => record.token));
  if (target.traits.coalesce === 'never') expect(tokens.size, `${name}: records delivered`).to.equal(records.length);
  // A sink that coalesces may be given an intermediate state again after a crash: its law is the final state.
  if (target.traits.order !== 'none' && target.traits.coalesce === 'never')
    expect(outOfOrder(target.delivered), `${name} ${JSON.stringify(target.traits)}`).to.equal(undefined);
  const last = new Map(records.map(record => [record.key, record.token]));
  const state = new Map(target.delivered.map(record => [record.key, record.token]));
  if (target.traits.order !== 'none') expect(state, `${name}: state of each key`).to.deep.equal(last);
}

/** Law 1: every record at or below a saved position is durable in the sink, or a newer one of its key is where it may coalesce. */
function watchCheckpoints(positions: ReadonlyMap<string, Position>, targets: Record<string, ScriptedTarget>): { check: () => void } {
  const check = () => {
    for (const [name, position] of positions) {
      const target = targets[name];
      if (target === undefined || position.at !== 'after' || target.traits.coalesce !== 'never') continue;
      const durable = new Set(target.delivered.map(record => Number(record.token)));
      for (let n = 1; n <= Number(position.token); n += 1) {
        if (!durable.has(n)) throw new Error(`law 1: ${name} saved ${position.token}, and record ${n} is not durable`);
      }
    }
  };
  return { check };
}

describe('simulation: one partition', function () {
  this.timeout(600_000);
  it(`holds its laws over ${SEEDS} seeds from ${FROM}`, async () => {
    for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
      try {
        await simulate(seed);
      } catch (error) {
        throw new Error(`SEED=${seed}: ${error instanceof Error ? error.stack : error}`);
      }
    }
  });
});
