/** Chance of a world, from its seed: each part of the world throws dice of its own, so that one part's throws do not shift another's. */
import { seededRandom } from '../../fakes/virtual-clock.ts';

export interface Dice extends ReturnType<typeof seededRandom> {
  /** Uniform, whole. */
  between(from: number, to: number): number;
  pick<T>(from: readonly T[]): T;
  /** By weights. */
  draw<T extends string>(weights: Readonly<Partial<Record<T, number>>>): T;
}

export function dice(seed: number, part: string): Dice {
  const random = seededRandom(mixed(seed, part));
  // The first numbers of neighbouring seeds are alike.
  for (let i = 0; i < 4; i++) random.next();
  const pick = <T>(from: readonly T[]): T => {
    const picked = from[random.integer(from.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  };
  return {
    ...random,
    between: (from, to) => from + random.integer(to - from + 1),
    pick,
    draw<T extends string>(weights: Readonly<Partial<Record<T, number>>>): T {
      const entries = Object.entries(weights) as [T, number][];
      let left = random.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [name, weight] of entries) {
        left -= weight;
        if (left < 0) return name;
      }
      return pick(entries)[0];
    },
  };
}

/** FNV-1a over the part's name, begun with the seed. */
function mixed(seed: number, part: string): number {
  let state = (0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1)) >>> 0;
  for (const char of part) state = Math.imul(state ^ char.charCodeAt(0), 0x01000193) >>> 0;
  return state;
}
