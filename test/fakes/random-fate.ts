/** Faults of the fake streams by chance, from a seed: the same seed, the same faults. */
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { StreamFate } from './fake-stream-rules.ts';
import type { FakeStreams } from './fake-streams.ts';
import type { seededRandom } from './virtual-clock.ts';

/** Chances of each, per call; what does not fit an operation passes. */
export interface FateOdds {
  readonly throttled?: number;
  readonly lost?: number;
  readonly server?: number;
  readonly expired?: number;
  readonly gone?: number;
  readonly empty?: number;
  readonly short?: number;
  readonly slow?: number;
}

const READS: ReadonlySet<string> = new Set(['expired', 'empty', 'short']);

export function randomFate(random: ReturnType<typeof seededRandom>, odds: FateOdds): FakeStreams['fate'] {
  return ({ operation }) => {
    let left = random.next();
    for (const [what, chance] of Object.entries(odds) as [keyof FateOdds, number][]) {
      left -= chance;
      if (left >= 0) continue;
      const fits = operation === 'read' || (!READS.has(what) && (what !== 'gone' || operation === 'iterator'));
      return fits ? fateOf(what, random.integer(500)) : 'pass';
    }
    return 'pass';
  };
}

function fateOf(what: keyof FateOdds, delayMs: number): StreamFate {
  if (what === 'slow') return { delayMs };
  if (what !== 'server') return what;
  return new ServiceFault('InternalServerError', 'Internal server error', { class: 'server', status: 500 });
}
