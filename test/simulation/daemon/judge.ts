/** What every simulation does with its world: it stops at the first broken law, looks at running processes and at how they end, and sums up. */
import type { Ms } from '../../../src/model/units.ts';
import { Unsettled } from '../../../src/runners/daemon-parts.ts';
import { Broken } from './history.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

export interface Outcome {
  /** Of the whole history: the same seed, the same digest. */
  readonly digest: string;
  readonly lines: number;
  readonly records: number;
  readonly crashes: number;
  readonly gaps: number;
  readonly shards: number;
  readonly virtualMs: Ms;
  /** How far the healthy sink was behind the reference of law 4, at worst. */
  readonly isolationMs: Ms;
}

/** A shard that is gone is asked for a minute, and there may be a line of them; more would hide what never goes on. */
export const HEALED_WITHIN_MS: Ms = 1_200_000;
export const STOPS_WITHIN_MS: Ms = 600_000;

/** A law was broken: the rest says nothing. */
class Stop extends Error {}

/** Runs a simulation of the world. Throws Broken when a law was. */
export async function judged(world: World, run: () => Promise<{ crashes: number }>): Promise<Outcome> {
  const { history } = world;
  try {
    return outcome(world, await run());
  } catch (error) {
    if (!(error instanceof Stop)) history.breaks('surprise', textOf(error));
    throw new Broken(world.plan.seed, history.violation ?? { law: 'surprise', what: 'stopped for no reason' }, history.tail);
  }
}

export function stopIfBroken({ history }: World): void {
  if (history.violation !== undefined) throw new Stop();
}

/** At a running process, as its operator does. */
export function look(world: World, life: Life): void {
  if (!life.isRunning || life.isFrozen || life.daemon === undefined) return;
  world.memory.look(life.daemon.gauges().memoryBytes);
  world.accounts.look(life.daemon.status(), false);
  life.daemon.notReady();
}

/** At a process that has ended by itself, told or not. */
export function lookAtEnd(world: World, life: Life, tookMs: Ms): void {
  if (life.end?.error !== undefined || life.daemon === undefined) return;
  world.memory.stopped(life.daemon.gauges().memoryBytes, tookMs);
  world.accounts.look(life.daemon.status(), true);
}

/** However it ended. */
export function over(world: World, life: Life, how: 'killed' | 'stopped'): void {
  const error = life.end?.error;
  world.said(`life ${life.n} is over: ${error instanceof Error ? error.message : how}`);
  const isExpected = error === undefined || error instanceof Unsettled || world.targets.some(({ wasStuck }) => wasStuck);
  if (!isExpected) world.history.breaks('surprise', textOf(error));
  life.readings.over();
}

function outcome(world: World, { crashes }: { crashes: number }): Outcome {
  return {
    digest: world.history.digest(),
    lines: world.history.lines,
    records: world.truth.changes.length,
    crashes,
    gaps: world.control.gapRows.size,
    shards: [...world.streams.streams.values()].reduce((n, stream) => n + stream.shards.size, 0),
    virtualMs: world.clock.elapsed(),
    isolationMs: world.isolation.worstMs,
  };
}

const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
