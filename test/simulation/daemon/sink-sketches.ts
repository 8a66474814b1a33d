/**
 * The sinks of a world: their traits, their options, and what may come over their targets. The first is always healthy and always there: what the others
 * do must not delay it.
 */
import type { Traits } from '../../../src/connector.ts';
import type { Delivery } from '../../../src/model/delivery.ts';
import type { Ms } from '../../../src/model/units.ts';
import type { StartingPosition } from '../../../src/ports/control-store.ts';
import { DELIVERY } from '../../fakes/pipeline-world.ts';
import { type Dice, dice } from './dice.ts';

/**
 * What a target does with a batch. `well`: durable. `slow`: late, perhaps too late. `partial`: some records fail. `lying`: durable, but the answer is
 * lost. `half`: durable up to some record, then no answer. `throttled`. `hanging`: settles only when aborted. `deaf`: goes on long after its abort.
 * `undead`: settles only when closed. `stuck`: not even then. `halting`, `refusing`, `judging`: as their words. `shut`: cannot be opened.
 */
export type Mood =
  | 'well'
  | 'slow'
  | 'partial'
  | 'lying'
  | 'half'
  | 'throttled'
  | 'hanging'
  | 'deaf'
  | 'undead'
  | 'stuck'
  | 'halting'
  | 'refusing'
  | 'judging'
  | 'shut';

export interface SinkSketch {
  /** Its name at first; it may be renamed. */
  readonly id: string;
  /** `archive`: files by the number of their first record, each made once; a file that is there answers how far it goes. */
  readonly kind: 'plain' | 'archive';
  readonly isHealthy: boolean;
  readonly traits: Traits;
  readonly delivery: Delivery;
  readonly latencyMs: Ms;
  readonly startingPosition?: StartingPosition;
  readonly moods: Readonly<Partial<Record<Mood, number>>>;
  /** There at the first start; others come later. */
  readonly isFirst: boolean;
}

const TROUBLES: Readonly<Partial<Record<Mood, number>>> = {
  slow: 4,
  partial: 4,
  lying: 3,
  half: 2,
  throttled: 3,
  hanging: 3,
  deaf: 2,
  undead: 1,
  stuck: 0.2,
  halting: 1,
  refusing: 1,
  judging: 1,
  shut: 1,
};

export function sinkSketches(seed: number): readonly SinkSketch[] {
  const throws = dice(seed, 'sinks');
  return Array.from({ length: throws.between(2, 5) }, (_, i) => {
    const isHealthy = i === 0;
    const kind = !isHealthy && throws.chance(0.2) ? 'archive' : 'plain';
    const startingPosition = throws.draw({ LATEST: 1, TRIM_HORIZON: 1, none: 4 });
    return {
      id: `s${i}`,
      kind,
      isHealthy,
      traits: kind === 'archive' ? archiveTraits(throws) : traits(throws),
      delivery: delivery(throws, isHealthy),
      latencyMs: throws.pick([1, 5, 20]),
      ...(startingPosition !== 'none' && { startingPosition }),
      moods: isHealthy ? { well: 1 } : moods(throws),
      isFirst: i < 2 || throws.chance(0.8),
    };
  });
}

/** Some troubles of their own, so that each comes alone at times. */
function moods(throws: Dice): SinkSketch['moods'] {
  const names = Object.keys(TROUBLES) as Mood[];
  const chosen = names.filter(() => throws.chance(0.4)).map(name => [name, TROUBLES[name]] as const);
  return { well: 4, ...Object.fromEntries(chosen) };
}

function traits(throws: Dice): Traits {
  const order = throws.pick(['key', 'key', 'key', 'partition', 'none'] as const);
  return {
    order,
    coalesce: order === 'key' && throws.chance(0.3) ? 'latest-per-key' : 'never',
    oncePerKey: throws.chance(0.25),
    inFlight: throws.between(1, 6),
    batch: { records: throws.between(5, 50), bytes: throws.pick([30_000, 200_000, 1_000_000]), waitMs: throws.pick([0, 0, 100, 400]) },
    timeoutMs: throws.pick([500, 2_000, 5_000]),
    ...(order === 'key' && throws.chance(0.3) && { group: record => `g${record.key.charCodeAt(record.key.length - 1) % 3}` }),
  };
}

function archiveTraits(throws: Dice): Traits {
  return {
    order: 'partition',
    coalesce: 'never',
    oncePerKey: false,
    inFlight: 1,
    batch: { records: throws.between(5, 200), bytes: 1_000_000, waitMs: throws.pick([200, 2_000, 10_000]) },
    timeoutMs: 3_000,
  };
}

function delivery(throws: Dice, isHealthy: boolean): Delivery {
  return {
    ...DELIVERY,
    maximumBackoffSeconds: throws.pick([1, 10]),
    bisectBatchOnFunctionError: throws.chance(0.7),
    ...(!isHealthy && throws.chance(0.2) && { maximumRetryAttempts: throws.between(0, 5) }),
    ...(throws.chance(0.7) && { windowBytes: throws.pick([60_000, 300_000, 2_000_000]) }),
  };
}
