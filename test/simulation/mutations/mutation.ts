/** A weakened rule of the engine that a simulation must catch, and the run of a simulation over it as over the real one. */
import { simulateFleet } from '../daemon/fleet.ts';
import type { Law } from '../daemon/history.ts';
import { simulate } from '../daemon/simulate.ts';
import { mutant, type Patch, type Simulation, type WorldName } from './mutant.ts';

export interface Mutation {
  /** What the engine does wrong. */
  readonly name: string;
  readonly world: WorldName;
  /** What a seed must say first of all. */
  readonly law: Law;
  readonly patches: readonly Patch[];
  /** Within so many seeds, from this one on (1 by default: a later one where it is known to be found at once). */
  readonly seeds: number;
  readonly from?: number;
}

export interface Catch {
  readonly seed: number;
  readonly law: Law;
  readonly message: string;
}

const REAL: Readonly<Record<WorldName, Simulation>> = { daemon: simulate, fleet: simulateFleet };

/** The engine with one rule weakened. */
export function weakened({ world, patches }: Mutation): Promise<Simulation> {
  return mutant(world, patches);
}

/** The engine as it is. */
export function real({ world }: Mutation): Simulation {
  return REAL[world];
}

/** What a seed shows; undefined when every law holds. */
export async function shownBy(simulation: Simulation, seed: number): Promise<Catch | undefined> {
  try {
    await simulation(seed);
    return undefined;
  } catch (error) {
    if (!isBroken(error)) throw error;
    return { seed, law: error.violation.law, message: error.message };
  }
}

/** Each graph of modules has a class Broken of its own. */
function isBroken(error: unknown): error is Error & { violation: { law: Law } } {
  return error instanceof Error && error.name === 'Broken';
}
