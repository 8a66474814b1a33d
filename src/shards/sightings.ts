/**
 * How long a lease's counter has not moved, as seen from here: the only sign of life of an owner. Nothing is read from a row's times and no two
 * clocks are compared; our own monotonic clock is asked when we looked. A late look can only make an owner seem alive for longer.
 */
import type { Ms } from '../model/units.ts';
import type { LeaseKey, LeaseRow } from '../ports/lease-store.ts';

interface Sighting {
  readonly counter: number;
  readonly owner: string | undefined;
  readonly since: Ms;
}

export class Sightings {
  #seen: ReadonlyMap<LeaseKey, Sighting> = new Map();

  /** `at`: when the rows were asked for. Rows that are gone are forgotten. */
  look(rows: readonly LeaseRow[], at: Ms): void {
    this.#seen = new Map(
      rows.map(row => {
        const before = this.#seen.get(row.key);
        const still = before !== undefined && before.counter === row.counter && before.owner === row.owner;
        return [row.key, still ? before : { counter: row.counter, owner: row.owner, since: at }];
      }),
    );
  }

  /** Owned rows that have not moved for so long. */
  expired(now: Ms, durationMs: Ms): ReadonlySet<LeaseKey> {
    const keys = new Set<LeaseKey>();
    for (const [key, sighting] of this.#seen) if (sighting.owner !== undefined && now - sighting.since >= durationMs) keys.add(key);
    return keys;
  }

  /** When the next owned row of these would expire, if it does not move. */
  nextExpiry(keys: Iterable<LeaseKey>, now: Ms, durationMs: Ms): Ms | undefined {
    let next: Ms | undefined;
    for (const key of keys) {
      const sighting = this.#seen.get(key);
      if (sighting?.owner === undefined) continue;
      const at = sighting.since + durationMs;
      if (at > now && (next === undefined || at < next)) next = at;
    }
    return next;
  }
}
