/**
 * Keeps lines that say the same over and over from filling a disk: a target that denies every write for ninety seconds is worth a few lines a minute.
 * What was held back is told once at the end of the minute.
 */
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';

const WINDOW_MS: Ms = 60_000;
/** Lines of one kind in a window. */
const BURST = 5;
/** Kinds remembered; the oldest is forgotten, and may speak again. */
const KINDS = 1_000;

interface Kind {
  readonly since: Ms;
  lines: number;
  heldBack: number;
}

export class LogRepeats {
  readonly #clock: Clock;
  readonly #kinds = new Map<string, Kind>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a line of this kind may be written now. `told` hears how many were held back. */
  admits(name: string, told: (heldBack: number) => void): boolean {
    const now = this.#clock.elapsed();
    let kind = this.#kinds.get(name);
    if (kind === undefined || now - kind.since >= WINDOW_MS) {
      kind = { since: now, lines: 0, heldBack: 0 };
      this.#kinds.delete(name);
      this.#kinds.set(name, kind);
      this.#forgetOldest();
    }
    kind.lines += 1;
    if (kind.lines <= BURST) return true;
    kind.heldBack += 1;
    if (kind.heldBack === 1) {
      const { since } = kind;
      const held = kind;
      this.#clock.after(Math.max(0, since + WINDOW_MS - now), () => told(held.heldBack));
    }
    return false;
  }

  #forgetOldest(): void {
    const oldest = this.#kinds.keys().next();
    if (this.#kinds.size > KINDS && !oldest.done) this.#kinds.delete(oldest.value);
  }
}

/** One kind: the same words about the same sink or table, whatever numbers and ids stand in them. */
export function kindOf(level: string, fields: Readonly<Record<string, unknown>>, message: string): string {
  const words = message.replace(/[0-9a-f]{8,}|\d+/gi, '#');
  return JSON.stringify([level, fields['pipeline'], fields['table'], fields['sink'], words]);
}
