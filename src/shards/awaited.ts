/**
 * Rows that are this worker's by right and that a live owner does not hand over. They are never taken from it (law 7): it may still read. That an owner
 * renews and yet does not let go is a fault that only the others can see, so it is reported, once for each time.
 */
import type { Ms } from '../model/units.ts';
import type { LeaseKey, LeaseRow } from '../ports/lease-store.ts';
import { STAYS_MS } from './moves.ts';

const INTERVALS = 2;
/** For the hand-over itself, and for stores that are slow. */
const GRACE_MS: Ms = 5_000;

interface Owned {
  readonly owner: string | undefined;
  /** As seen from here. */
  readonly since: Ms;
}

interface Wait extends Owned {
  /** When it was due: a counter that has moved since is its owner's sign of life. */
  readonly dueCounter?: number;
  readonly isReported?: true;
}

export class Awaited {
  readonly #patienceMs: Ms;
  #owned: ReadonlyMap<LeaseKey, Owned> = new Map();
  #waits: ReadonlyMap<LeaseKey, Wait> = new Map();

  constructor(intervalMs: Ms) {
    this.#patienceMs = INTERVALS * intervalMs + GRACE_MS;
  }

  /** `rows`: of a scan; `keys`: those of them that are awaited. Answers those that have been for too long and were not reported yet. */
  look(rows: readonly LeaseRow[], keys: ReadonlySet<LeaseKey>, now: Ms): readonly LeaseRow[] {
    this.#owned = new Map(rows.map(({ key, owner }) => [key, sameOwner(this.#owned.get(key), owner) ?? { owner, since: now }]));
    const stuck: LeaseRow[] = [];
    const waits = rows
      .filter(({ key }) => keys.has(key))
      .map((row): [LeaseKey, Wait] => {
        const wait: Wait = sameOwner(this.#waits.get(row.key), row.owner) ?? { owner: row.owner, since: now };
        if (wait.isReported || now < this.#dueAt(row, wait)) return [row.key, wait];
        if (wait.dueCounter === undefined) return [row.key, { ...wait, dueCounter: row.counter }];
        if (wait.dueCounter === row.counter) return [row.key, wait];
        stuck.push(row);
        return [row.key, { ...wait, isReported: true }];
      });
    this.#waits = new Map(waits);
    return stuck;
  }

  /** What has come to its owner stays there for a while, whosever it is by now. */
  #dueAt({ key, lastOwner }: LeaseRow, { since }: Wait): Ms {
    const cameAt = lastOwner === undefined ? undefined : this.#owned.get(key)?.since;
    return this.#patienceMs + Math.max(since, cameAt === undefined ? since : cameAt + STAYS_MS);
  }
}

function sameOwner<T extends Owned>(before: T | undefined, owner: string | undefined): T | undefined {
  return before?.owner === owner ? before : undefined;
}
