/**
 * How long a shard has been refused as unknown, to whichever pass: a shard that is gone is looked for once, not by sinks at other places one after
 * another, a minute each.
 */
import type { Ms } from '../model/units.ts';

/** A shard that is refused as unknown for so long is looked up in the listing. */
const GONE_MS: Ms = 60_000;

export class Absence {
  #since: Ms | undefined;
  #lastAt = Number.NEGATIVE_INFINITY;

  /** It was refused, by now for long enough. Refusals with a long silence between them are not one absence. */
  hasLasted(elapsed: Ms): boolean {
    if (this.#since === undefined || elapsed - this.#lastAt >= GONE_MS) this.#since = elapsed;
    this.#lastAt = elapsed;
    return elapsed - this.#since >= GONE_MS;
  }

  /** It was answered. */
  over(): void {
    this.#since = undefined;
  }
}
