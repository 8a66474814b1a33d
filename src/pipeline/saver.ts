/**
 * Keeps the sinks' heads: at most once a second, one write for all that moved, never two at a time; an end is kept at once, for children wait for it.
 */
import type { Position } from '../model/position.ts';
import type { Ms, SinkName } from '../model/units.ts';
import type { Cancel, Clock } from '../ports/clock.ts';
import type { Progress } from '../ports/progress.ts';

export interface SaverParts {
  readonly progress: Progress;
  readonly clock: Clock;
  /** The head of every sink that takes part. */
  readonly heads: () => ReadonlyMap<SinkName, Position>;
  readonly onSaved: (positions: ReadonlyMap<SinkName, Position>) => void;
  readonly onLost: () => void;
  readonly onError: (error: unknown) => void;
}

const EVERY_MS: Ms = 1_000;

export class Saver {
  readonly #parts: SaverParts;
  readonly #saved: Map<SinkName, Position>;
  #timer: Cancel | undefined;
  #savedAt = Number.NEGATIVE_INFINITY;
  #dirtySince: Ms | undefined;
  #under: Promise<void> | undefined;
  #over = false;

  constructor(parts: SaverParts, saved: ReadonlyMap<SinkName, Position>) {
    this.#parts = parts;
    this.#saved = new Map(saved);
  }

  /** How long heads have moved without being kept. */
  get ageMs(): Ms {
    return this.#dirtySince === undefined ? 0 : this.#parts.clock.elapsed() - this.#dirtySince;
  }

  /** A head may have moved. */
  touch(): void {
    if (this.#over || this.#timer !== undefined || this.#under !== undefined) return;
    const moved = this.#moved();
    if (moved.size === 0) return;
    const { clock } = this.#parts;
    this.#dirtySince ??= clock.elapsed();
    const ends = [...moved.values()].some(position => position.at === 'end');
    const waitMs = ends ? 0 : this.#savedAt + EVERY_MS - clock.elapsed();
    if (waitMs <= 0) this.#begin();
    else {
      this.#timer = clock.after(waitMs, () => {
        this.#timer = undefined;
        this.#begin();
      });
    }
  }

  /** The last save: waits for the one under way, keeps what moved since, and then no more. */
  async last(): Promise<void> {
    this.#timer?.();
    this.#timer = undefined;
    await this.#under;
    if (!this.#over) await this.#save();
    this.stop();
  }

  /** Keeps nothing any more. */
  stop(): void {
    this.#over = true;
    this.#timer?.();
  }

  #moved(): Map<SinkName, Position> {
    const moved = new Map<SinkName, Position>();
    for (const [name, head] of this.#parts.heads())
      if (this.#saved.get(name) !== head && !isEnd(this.#saved.get(name))) moved.set(name, head);
    return moved;
  }

  #begin(): void {
    this.#under = this.#save()
      .catch(error => this.#parts.onError(error))
      .finally(() => {
        this.#under = undefined;
        this.touch();
      });
  }

  async #save(): Promise<void> {
    const moved = this.#moved();
    if (moved.size === 0) return;
    const answer = await this.#parts.progress.save(moved);
    if (this.#over) return;
    if (answer === 'lost') {
      this.stop();
      return this.#parts.onLost();
    }
    for (const [name, position] of moved) this.#saved.set(name, position);
    this.#savedAt = this.#parts.clock.elapsed();
    this.#dirtySince = undefined;
    this.#parts.onSaved(moved);
  }
}

const isEnd = (position: Position | undefined): boolean => position?.at === 'end';
