/** What a seed decides before anything happens: the table and its load, the source's and the stores' faults, the settings, the lives of the daemon. */
import type { Ms } from '../../../src/model/units.ts';
import type { StartingPosition } from '../../../src/ports/control-store.ts';
import type { StreamRules } from '../../fakes/fake-stream-rules.ts';
import type { FateOdds } from '../../fakes/random-fate.ts';
import { type Dice, dice } from './dice.ts';
import { type SinkSketch, sinkSketches } from './sink-sketches.ts';

export interface WorldPlan {
  readonly seed: number;
  readonly rules: Partial<StreamRules>;
  readonly roots: number;
  readonly keys: number;
  readonly recordBytes: readonly [number, number];
  /** Changes in a burst, at most. */
  readonly burst: number;
  readonly mostShards: number;
  readonly source: { readonly pollMs: Ms; readonly idleMs: Ms; readonly startingPosition: StartingPosition };
  readonly leases: { readonly durationMs: Ms; readonly renewMs: Ms };
  readonly memoryBytes: number;
  readonly sourceOdds: FateOdds;
  readonly storeOdds: StoreOdds;
  /** Before the last one, in which everything heals. */
  readonly lives: number;
  readonly lifeMs: readonly [Ms, Ms];
  /** The stream is older than its records live when the daemon first starts. */
  readonly hasPast: boolean;
  /** The table gets a new stream between two lives. */
  readonly replacesStream: boolean;
  readonly sinks: readonly SinkSketch[];
}

export interface StoreOdds {
  readonly throttle: number;
  readonly lost: number;
  readonly appliedButLost: number;
  readonly slow: number;
}

export function worldPlan(seed: number): WorldPlan {
  const throws = dice(seed, 'plan');
  const isLarge = throws.chance(0.35);
  const durationMs = throws.pick([3_000, 6_000, 10_000]);
  const pollMs = throws.pick([100, 250, 1_000]);
  return {
    seed,
    rules: streamRules(throws),
    roots: throws.pick([1, 1, 2, 3]),
    keys: throws.between(2, 60),
    recordBytes: isLarge ? [5_000, 40_000] : [100, 3_000],
    burst: isLarge ? 60 : throws.between(2, 40),
    mostShards: throws.between(2, 10),
    source: {
      pollMs,
      idleMs: pollMs * throws.pick([1, 1, 4]),
      startingPosition: throws.chance(0.35) ? 'LATEST' : 'TRIM_HORIZON',
    },
    leases: { durationMs, renewMs: durationMs * 0.3 },
    memoryBytes: 1024 * 1024 * throws.pick([8, 12, 64]),
    sourceOdds: throws.chance(0.25) ? {} : sourceOdds(throws),
    storeOdds: throws.chance(0.25) ? { throttle: 0, lost: 0, appliedButLost: 0, slow: 0 } : storeOdds(throws),
    lives: throws.between(2, 5),
    lifeMs: throws.pick([
      [500, 8_000],
      [3_000, 25_000],
      [15_000, 45_000],
    ]),
    hasPast: throws.chance(0.15),
    replacesStream: throws.chance(0.08),
    sinks: sinkSketches(seed),
  };
}

function streamRules(throws: Dice): Partial<StreamRules> {
  return {
    pageRecords: throws.pick([25, 100, 1_000]),
    latencyMs: throws.pick([2, 10, 60]),
    listingDelayMs: throws.pick([0, 0, 500, 4_000]),
    childrenDelayMs: throws.pick([0, 300, 2_000, 6_000]),
    childFilter: throws.chance(0.2) ? 'unsupported' : 'served',
    iteratorLifeMs: throws.pick([2_000, 15_000, 900_000, 900_000]),
    trimRefusedAt: throws.pick(['iterator', 'read']),
    endsEmpty: throws.chance(0.5),
    nextOnOpen: throws.chance(0.1) ? throws.pick(['absent', 'empty-text']) : 'given',
  };
}

function sourceOdds(throws: Dice): FateOdds {
  const scale = throws.pick([0.3, 1, 2]);
  return {
    throttled: 0.02 * scale,
    lost: 0.01 * scale,
    server: 0.01 * scale,
    expired: 0.01 * scale,
    gone: 0.002 * scale,
    empty: 0.02 * scale,
    short: 0.03 * scale,
    slow: 0.03 * scale,
  };
}

function storeOdds(throws: Dice): StoreOdds {
  const scale = throws.pick([0.3, 1, 2]);
  return { throttle: 0.02 * scale, lost: 0.01 * scale, appliedButLost: 0.02 * scale, slow: 0.03 * scale };
}
