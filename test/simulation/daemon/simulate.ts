/** One world from its seed: some lives that end badly or in order, then one in which everything heals, and the verdict. */
import type { Ms } from '../../../src/model/units.ts';
import { checkCompleteness, isComplete } from './checks/completeness.ts';
import { checkDuplicates } from './checks/duplicates.ts';
import { type Dice, dice } from './dice.ts';
import { Incidents } from './incidents.ts';
import { HEALED_WITHIN_MS, judged, look, lookAtEnd, type Outcome, over, STOPS_WITHIN_MS, stopIfBroken } from './judge.ts';
import { type Crash, type Life, someCrash } from './life.ts';
import { startLife } from './start-life.ts';
import { World } from './world.ts';
import { type WorldPlan, worldPlan } from './world-plan.ts';

/** Throws Broken when a law was. `echo` is given each line of the history. */
export async function simulate(seed: number, echo?: (line: string) => void): Promise<Outcome> {
  const simulation = new Simulation(worldPlan(seed), echo);
  return judged(simulation.world, () => simulation.run());
}

class Simulation {
  readonly world: World;
  readonly #plan: WorldPlan;
  readonly #dice: Dice;
  readonly #incidents: Incidents;
  #crashes = 0;
  #lives = 0;

  constructor(plan: WorldPlan, echo: ((line: string) => void) | undefined) {
    this.#plan = plan;
    this.world = new World(plan, echo);
    this.#dice = dice(plan.seed, 'lives');
    this.#incidents = new Incidents(this.world);
  }

  async run(): Promise<{ crashes: number }> {
    if (this.#plan.hasPast) await this.#incidents.past();
    for (let i = 0; i < this.#plan.lives; i++) {
      await this.#live();
      await this.#between(i);
    }
    await this.#heal();
    checkCompleteness(this.world);
    stopIfBroken(this.world);
    return { crashes: this.#crashes };
  }

  #start(crash: Crash | undefined, drainMs: Ms): Life {
    this.#lives += 1;
    this.world.said(`life ${this.#lives} begins${crash ? `, to die ${crash.when} call ${crash.call}` : ''}`);
    return startLife(this.world, { n: this.#lives, crash, drainMs });
  }

  async #live(): Promise<void> {
    const end = this.#dice.draw({ call: 5, time: 2, stop: 4 });
    const crash: Crash | undefined = end === 'call' ? someCrash(this.#dice) : undefined;
    const life = this.#start(crash, this.#dice.between(200, 4_000));
    const until = this.world.clock.elapsed() + this.#dice.between(...this.#plan.lifeMs);
    while (life.isRunning && this.world.clock.elapsed() < until) {
      await this.#step(life, this.#dice.between(10, 900));
      this.#incidents.one(life);
    }
    if (end === 'stop' && life.isRunning) await this.#stop(life);
    else await this.#crash(life);
  }

  async #step(life: Life, ms: Ms): Promise<void> {
    await this.world.clock.advance(ms);
    look(this.world, life);
    stopIfBroken(this.world);
  }

  async #crash(life: Life): Promise<void> {
    this.#crashes += 1;
    life.die();
    this.#over(life, 'killed');
    await this.world.clock.advance(0);
  }

  async #stop(life: Life): Promise<void> {
    this.world.said(`life ${life.n} is told to stop`);
    const from = this.world.clock.elapsed();
    life.tellToStop();
    while (life.isRunning) {
      await this.world.clock.advance(this.#dice.between(10, 900));
      stopIfBroken(this.world);
      if (this.world.clock.elapsed() - from > STOPS_WITHIN_MS) this.world.history.breaks('surprise', 'it does not stop');
    }
    lookAtEnd(this.world, life, this.world.clock.elapsed() - from);
    this.#over(life, life.end?.error === undefined ? 'stopped' : 'killed');
    // Nothing of an ended process goes on.
    life.die();
    await this.world.clock.advance(0);
  }

  #over(life: Life, how: 'killed' | 'stopped'): void {
    const { world } = this;
    over(world, life, how);
    // Of a run that lost its lease nothing is saved any more.
    if (world.isolation.isUndisturbed && life.lostLeases === 0) checkDuplicates(world, life, how === 'stopped');
    world.isolation.over(life);
    stopIfBroken(this.world);
  }

  async #between(i: number): Promise<void> {
    const { clock } = this.world;
    if (this.#plan.replacesStream && i === 0) await this.#incidents.replaceStream();
    if (this.#dice.chance(0.08)) await this.#incidents.night(this.#dice.pick([2, 12, 26, 30]));
    for (let n = this.#dice.integer(4); n > 0; n--) {
      this.#incidents.one(undefined);
      await clock.advance(this.#dice.between(10, 5_000));
    }
    this.#incidents.recast();
    stopIfBroken(this.world);
  }

  async #heal(): Promise<void> {
    const { world } = this;
    this.#incidents.heal();
    const life = this.#start(undefined, 10_000);
    const until = world.clock.elapsed() + HEALED_WITHIN_MS;
    for (let round = 0; world.clock.elapsed() < until && life.isRunning; round++) {
      if (round < 5) this.#incidents.burst();
      await this.#step(life, 1_000);
      if (round % 10 === 9 && life.daemon !== undefined) this.#incidents.resumeHalted(life.daemon.status());
      if (round > 5 && isComplete(this.world)) break;
    }
    await this.#stop(life);
    if (life.end?.error !== undefined) world.history.breaks('surprise', `the healed life ended badly: ${life.end.error}`);
  }
}
