/** What happens to a world from outside: changes to the table, shards that roll and split, moods of targets, operators, outages, long nights. */
import type { Status } from '../../../src/model/status.ts';
import type { Ms } from '../../../src/model/units.ts';
import { type Dice, dice } from './dice.ts';
import type { Life } from './life.ts';
import { nameOf, numberOf, PIPELINE, STRANGER } from './scene.ts';
import type { Target } from './target.ts';
import type { Outage, World } from './world.ts';

type Incident = 'burst' | 'roll' | 'split' | 'mood' | 'pause' | 'resume' | 'outage' | 'freeze' | 'lag' | 'none';

const WEIGHTS: Readonly<Record<Incident, number>> = {
  burst: 45,
  roll: 3,
  split: 2,
  mood: 14,
  pause: 2,
  resume: 6,
  outage: 1.2,
  freeze: 0.5,
  lag: 1,
  none: 25,
};
const HOUR_MS: Ms = 3_600_000;

export class Incidents {
  readonly #world: World;
  readonly #dice: Dice;

  constructor(world: World) {
    this.#world = world;
    this.#dice = dice(world.plan.seed, 'incidents');
  }

  /** One of them. `life`: the process that runs, if any does. */
  one(life: Life | undefined): void {
    const what = this.#dice.draw(WEIGHTS);
    if (what === 'burst') this.burst();
    else if (what === 'roll' || what === 'split') this.#reshard(what);
    else if (what === 'mood') this.#changeMood();
    else if (what === 'pause' || what === 'resume') this.#ask(what === 'pause');
    else if (what === 'outage') this.#outage(this.#dice.pick(['source', 'leases', 'control'] as const), this.#dice.between(500, 20_000));
    else if (what === 'freeze' && life !== undefined) this.#freeze(life, this.#dice.between(500, 30_000));
    else if (what === 'lag')
      this.#world.streams.rules.listingDelayMs = this.#dice.pick([0, 500, this.#world.plan.rules.listingDelayMs ?? 0]);
  }

  /** Some keys are hot. */
  burst(most = this.#world.plan.burst): void {
    const { truth, stream, plan } = this.#world;
    const count = this.#dice.between(1, most);
    for (let i = 0; i < count; i++) {
      const key = this.#dice.chance(0.5) ? this.#dice.integer(Math.min(3, plan.keys)) : this.#dice.integer(plan.keys);
      truth.write(stream, `k${key}`, this.#dice.between(...plan.recordBytes));
    }
    this.#world.said(`burst of ${count}, the last is ${numberOf(truth.changes.at(-1)?.token ?? '')}`);
  }

  /** As the service does of itself, every four hours. */
  rollAll(): void {
    const { stream, history } = this.#world;
    for (const { id } of stream.open) stream.roll(id);
    history.say('every shard rolls');
  }

  /** Time before the first start, or between two lives, in which nobody reads: the oldest records are trimmed. */
  async night(hours: number): Promise<void> {
    this.#world.said(`a night of ${hours} h`);
    for (let hour = 0; hour < hours; hour += 4) {
      this.burst(8);
      if (this.#dice.chance(0.6)) this.#reshard(this.#dice.chance(0.2) ? 'split' : 'roll');
      await this.#world.clock.advance(Math.min(4, hours - hour) * HOUR_MS);
    }
  }

  /** Records of just a day ago, trimmed one after another while the daemon runs. */
  async past(): Promise<void> {
    for (let i = 0; i < 12; i++) {
      this.burst(10);
      if (this.#dice.chance(0.15)) this.#reshard('roll');
      await this.#world.clock.advance(this.#dice.between(500, 6_000));
    }
    await this.night(20);
    await this.#world.clock.advance(4 * HOUR_MS - this.#dice.between(0, 60_000));
  }

  /** The stream is disabled and another enabled: what is written between is in neither. */
  async replaceStream(): Promise<void> {
    const { stream, streams, clock, truth, plan } = this.#world;
    this.#world.said('the stream is replaced');
    truth.mayHaveGaps = true;
    stream.disable();
    await clock.advance(this.#dice.between(100, 60_000));
    this.#world.stream = streams.create({ roots: plan.roots });
  }

  /** Sinks that are configured, not any more, or by another name at the next start. */
  recast(): void {
    for (const target of this.#world.targets) {
      const throws = target.dice;
      const { presence, sketch } = target;
      if (presence === 'on' && target.names.length === 1 && throws.chance(0.1)) target.names = [`${target.name}-anew`, ...target.names];
      if (sketch.isHealthy) continue;
      if (presence !== 'on' && throws.chance(0.4)) target.presence = 'on';
      else if (presence === 'on' && throws.chance(0.12)) target.presence = throws.pick(['disabled', 'absent']);
      if (presence !== target.presence) this.#world.said(`${target.name} is ${target.presence}`);
    }
  }

  /** As a worker of the Kinesis Client Library does with a row of a live owner. Nobody hears of it again. */
  steal(): void {
    const { rows } = this.#world.leases;
    const owned = [...rows.values()].filter(({ owner }) => owner !== undefined && owner !== STRANGER);
    if (owned.length === 0) return;
    const { handoffFrom, nonce, ...row } = this.#dice.pick(owned);
    this.#world.said(`${nameOf(row.key)} is stolen from ${row.owner}`);
    rows.set(row.key, { ...row, owner: STRANGER, counter: row.counter + 1, ownerSwitches: row.ownerSwitches + 1 });
  }

  /** Everything works from now on. */
  heal(): void {
    this.#world.isCalm = true;
    this.#world.out.clear();
    for (const target of this.#world.targets) {
      target.mood = 'well';
      if (target.presence === 'disabled') target.presence = 'on';
      this.#put(target, false);
    }
  }

  /** As an operator does who reads the status. */
  resumeHalted(status: Status): void {
    const halted = new Set(
      status.pipelines.flatMap(({ sinks }) => sinks.filter(({ state }) => state === 'halted').map(({ name }) => name)),
    );
    for (const target of this.#world.targets) if (halted.has(target.name)) this.#put(target, false);
  }

  #reshard(how: 'roll' | 'split'): void {
    const { stream, plan } = this.#world;
    if (stream.shards.size >= plan.mostShards || stream.open.length === 0) return;
    const shard = this.#dice.pick(stream.open);
    this.#world.said(`${how} of ${nameOf(shard.id)}`);
    if (how === 'roll') stream.roll(shard.id);
    else stream.split(shard.id);
  }

  #changeMood(): void {
    const target = this.#dice.pick(this.#world.targets);
    target.mood = this.#dice.draw(target.sketch.moods);
    this.#world.said(`${target.name} is ${target.mood}`);
  }

  #ask(paused: boolean): void {
    const target = this.#dice.pick(this.#world.targets);
    if (!target.sketch.isHealthy) this.#put(target, paused);
  }

  /** As an operator's command does, from somewhere else. */
  #put(target: Target, paused: boolean): void {
    const key = `${PIPELINE}/${target.name}`;
    const { requests } = this.#world.control;
    const asked = (requests.get(key)?.asked ?? 0) + 1;
    requests.set(key, { pipeline: PIPELINE, sink: target.name, paused, asked });
    this.#world.said(`${target.name} is to be ${paused ? 'paused' : 'resumed'}`);
  }

  #outage(what: Outage, ms: Ms): void {
    if (this.#world.out.has(what) || this.#world.isCalm) return;
    this.#world.said(`outage of ${what} for ${ms} ms`);
    this.#world.out.add(what);
    this.#world.isolation.outage(what, true);
    this.#world.clock.after(ms, () => {
      this.#world.out.delete(what);
      this.#world.isolation.outage(what, false);
      this.#world.said(`${what} is back`);
    });
  }

  #freeze(life: Life, ms: Ms): void {
    if (life.isFrozen || !life.process.isAlive) return;
    this.#world.said(`life ${life.n} is frozen for ${ms} ms`);
    life.freeze();
    this.#world.isolation.outage('freeze', true);
    this.#world.clock.after(ms, () => {
      // The trouble of one that died meanwhile is over, and another may be frozen by now.
      if (!life.process.isAlive) return;
      life.thaw();
      this.#world.isolation.outage('freeze', false);
      this.#world.said(`life ${life.n} goes on`);
    });
  }
}
