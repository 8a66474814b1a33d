/**
 * Several daemons of one name over one table, from a seed: they join, leave, die at any call, freeze, are suspended and wake, while shards roll and
 * targets fail. Then everything heals and whoever is left finishes. Laws 1-3, 5-8 and completeness are looked at over all of them together; law 4 has
 * its reference in worlds of one process (simulate.ts).
 */
import type { Ms } from '../../../src/model/units.ts';
import { checkCompleteness, isComplete } from './checks/completeness.ts';
import { checkDuplicates } from './checks/duplicates.ts';
import { type Dice, dice } from './dice.ts';
import { Incidents } from './incidents.ts';
import { HEALED_WITHIN_MS, judged, look, lookAtEnd, type Outcome, over, STOPS_WITHIN_MS, stopIfBroken } from './judge.ts';
import { type Crash, type Life, someCrash } from './life.ts';
import { DAY_MS } from './scene.ts';
import { startLife } from './start-life.ts';
import { World } from './world.ts';
import { type WorldPlan, worldPlan } from './world-plan.ts';

type Turn = 'join' | 'leave' | 'kill' | 'freeze' | 'suspend' | 'clock' | 'restart' | 'replace' | 'none';

const WEIGHTS: Readonly<Record<Turn, number>> = {
  join: 3,
  leave: 2,
  kill: 2,
  freeze: 1.5,
  suspend: 0.7,
  clock: 0.7,
  restart: 0.3,
  replace: 0.05,
  none: 24,
};
/** At a step: a row is taken by a stranger, a process does not reach the lease table. */
const [STOLEN, CUT] = [0.01, 0.02];
/** A line that goes is slow before. */
const SLOW_MS: Ms = 4_000;
const MOST_LIVES = 4;
const ROLL_HOURS = 4;
const HOUR_MS: Ms = 3_600_000;

export async function simulateFleet(seed: number, echo?: (line: string) => void): Promise<Outcome> {
  const fleet = new Fleet(worldPlan(seed), echo);
  return judged(fleet.world, () => fleet.run());
}

/** Many hours of it, with less to do in each. Also says how many lease rows are left, and of how many shards that the stream still has. */
export async function simulateDays(seed: number, hours: number): Promise<Outcome & { rows: number; listed: number }> {
  const plan = worldPlan(seed);
  const source = { ...plan.source, pollMs: 1_000, idleMs: 10_000 };
  const fleet = new Fleet({ ...plan, source, roots: 2, mostShards: 0, hasPast: false });
  const outcome = await judged(fleet.world, () => fleet.run(hours));
  const { leases, stream } = fleet.world;
  return { ...outcome, rows: leases.rows.size, listed: [...stream.shards.values()].filter(shard => !stream.isGone(shard, DAY_MS)).length };
}

class Fleet {
  readonly world: World;
  readonly #plan: WorldPlan;
  readonly #dice: Dice;
  readonly #thief: Dice;
  readonly #incidents: Incidents;
  readonly #stoppedAt = new Map<Life, Ms>();
  #lives: Life[] = [];
  #begun = 0;
  #crashes = 0;

  constructor(plan: WorldPlan, echo?: (line: string) => void) {
    this.#plan = plan;
    this.world = new World(plan, echo);
    this.#dice = dice(plan.seed, 'fleet');
    this.#thief = dice(plan.seed, 'thief');
    this.#incidents = new Incidents(this.world);
  }

  async run(hours?: number): Promise<{ crashes: number }> {
    const { world } = this;
    if (this.#plan.hasPast) await this.#incidents.past();
    for (let n = this.#dice.between(1, MOST_LIVES); n > 0; n--) this.#join();
    if (hours === undefined) await this.#through(this.#dice.between(20_000, 120_000), [10, 900]);
    for (let hour = 0; hour < (hours ?? 0); hour += ROLL_HOURS) {
      await this.#through(ROLL_HOURS * HOUR_MS, [10, 300_000]);
      this.#incidents.rollAll();
    }
    await this.#heal();
    checkCompleteness(world);
    stopIfBroken(world);
    return { crashes: this.#crashes };
  }

  async #through(ms: Ms, stepMs: readonly [Ms, Ms]): Promise<void> {
    const { clock } = this.world;
    const until = clock.elapsed() + ms;
    while (clock.elapsed() < until) {
      await this.#step(this.#dice.between(...stepMs));
      this.#incidents.one(this.#lives.length > 0 ? this.#dice.pick(this.#lives) : undefined);
      const turn = this.#dice.draw(WEIGHTS);
      if (turn === 'restart') await this.#restart();
      else if (turn === 'replace') await this.#replaceStream();
      else this.#turn(turn);
      if (this.#thief.chance(STOLEN)) this.#incidents.steal();
      if (this.#thief.chance(CUT) && this.#lives.length > 0) this.#cut(this.#thief.pick(this.#lives), this.#thief.between(2_000, 25_000));
    }
  }

  #join(crash?: Crash): void {
    this.#begun += 1;
    const line = dice(this.#plan.seed, `line of ${this.#begun}`);
    this.world.said(`life ${this.#begun} begins${crash ? `, to die ${crash.when} call ${crash.call}` : ''}`);
    this.#lives.push(startLife(this.world, { n: this.#begun, crash, drainMs: this.#dice.between(200, 4_000), line }));
  }

  #turn(turn: Turn): void {
    const { world } = this;
    if (turn === 'join' && this.#lives.length < MOST_LIVES) this.#join(this.#dice.chance(0.4) ? someCrash(this.#dice) : undefined);
    if (this.#lives.length === 0) return;
    const life = this.#dice.pick(this.#lives);
    if (turn === 'kill') life.die();
    else if (turn === 'leave') this.#stop(life);
    else if (turn === 'freeze' || turn === 'suspend') this.#freeze(life, turn);
    else if (turn === 'clock') {
      const ms = this.#dice.pick([-3_600_000, -5_000, 5_000, 3_600_000]);
      // Who sleeps sees by its wall clock alone that it slept: one that is set back meanwhile hides it.
      if (life.isFrozen) return;
      world.said(`the wall clock of life ${life.n} jumps by ${ms} ms`);
      life.process.jumpWall(ms);
    }
  }

  /** All of them, with other settings: names and presence of sinks are the same for all workers of a service. */
  async #restart(): Promise<void> {
    await this.#endAll();
    if (this.#dice.chance(0.15)) await this.#incidents.night(this.#dice.pick([2, 12, 26]));
    this.#incidents.recast();
    for (let n = this.#dice.between(1, MOST_LIVES); n > 0; n--) this.#join();
  }

  async #endAll(): Promise<void> {
    for (const life of this.#lives) {
      if (this.#dice.chance(0.5)) life.die();
      else this.#stop(life);
    }
    while (this.#lives.length > 0) await this.#step(500);
  }

  /** Under their eyes, and once: the daemon looks for a second one only when it has drained the first. */
  async #replaceStream(): Promise<void> {
    if (this.world.streams.streams.size > 1) return;
    await this.#incidents.replaceStream();
    await this.#step(0);
  }

  #stop(life: Life): void {
    if (this.#stoppedAt.has(life)) return;
    this.world.said(`life ${life.n} is told to stop`);
    this.#stoppedAt.set(life, this.world.clock.elapsed());
    life.tellToStop();
  }

  #cut(life: Life, ms: Ms): void {
    const { clock, isolation, history } = this.world;
    if (life.line !== 'well') return;
    history.say(`life ${life.n} soon does not reach the lease table for ${ms} ms`);
    const what = `line of life ${life.n}`;
    isolation.outage(what, true);
    life.line = 'slow';
    clock.after(SLOW_MS, () => {
      if (life.line === 'slow') life.line = 'cut';
    });
    clock.after(SLOW_MS + ms, () => {
      life.line = 'well';
      isolation.outage(what, false);
    });
  }

  #freeze(life: Life, how: 'freeze' | 'suspend'): void {
    if (life.isFrozen) return;
    const ms = this.#dice.between(500, 40_000);
    this.world.said(`life ${life.n}: ${how} for ${ms} ms`);
    if (how === 'freeze') life.freeze();
    else life.suspend();
    this.world.clock.after(ms, () => {
      if (!life.process.isAlive) return;
      this.world.said(`life ${life.n} goes on`);
      life.thaw();
    });
  }

  async #step(ms: Ms): Promise<void> {
    const { world } = this;
    await world.clock.advance(ms);
    for (const life of this.#lives) {
      look(world, life);
      if (!life.isRunning) this.#over(life);
      else if (world.clock.elapsed() - (this.#stoppedAt.get(life) ?? Number.POSITIVE_INFINITY) > STOPS_WITHIN_MS)
        world.history.breaks('surprise', `life ${life.n} does not stop`);
    }
    this.#lives = this.#lives.filter(life => life.isRunning);
    stopIfBroken(world);
  }

  #over(life: Life): void {
    const { world } = this;
    const isOrderly = life.process.isAlive && life.end?.error === undefined;
    if (life.process.isAlive) lookAtEnd(world, life, world.clock.elapsed() - (this.#stoppedAt.get(life) ?? 0));
    else this.#crashes += 1;
    over(world, life, life.process.isAlive ? 'stopped' : 'killed');
    // Of a run that lost its lease nothing is saved any more.
    if (world.isolation.isUndisturbed && life.lostLeases === 0 && life.frozenAt === undefined) checkDuplicates(world, life, isOrderly);
    // Nothing of an ended process goes on.
    life.die();
  }

  async #heal(): Promise<void> {
    const { world } = this;
    const hadDisabled = world.targets.some(({ presence }) => presence === 'disabled');
    this.#incidents.heal();
    for (const life of this.#lives) {
      life.line = 'well';
      if (life.isFrozen) life.thaw();
    }
    await this.#step(0);
    // Those that run know such a sink as disabled. Whoever else is left may still be on its way out, or made to die.
    if (hadDisabled) await this.#endAll();
    this.#join();
    const until = world.clock.elapsed() + HEALED_WITHIN_MS;
    for (let round = 0; world.clock.elapsed() < until; round++) {
      if (round < 5) this.#incidents.burst();
      await this.#step(1_000);
      const staying = this.#lives.filter(life => !this.#stoppedAt.has(life));
      if (staying.length === 0) this.#join();
      // A sink may have halted in one of them only.
      if (round % 10 === 9) for (const { daemon } of staying) if (daemon !== undefined) this.#incidents.resumeHalted(daemon.status());
      if (round > 5 && isComplete(this.world)) break;
    }
    for (const life of this.#lives) this.#stop(life);
    while (this.#lives.length > 0) await this.#step(1_000);
  }
}
