/**
 * The process's bytes: readings, open work and pages asked for all draw on them (`limits.memoryMiB`, wire bytes of the records held, each once).
 *
 * A page needs a permit before it is read. Permits take at most a quarter of the budget (never fewer than two pages) and are given in turn: reserving
 * a page for every reading got stuck at 64 shards with 64 MiB. The rest is split in `sinks + 1` shares, so that one stalled sink on many shards cannot
 * take the room of the others. When the budget is short, records that every feed has passed are let go first, in all readings; then the feeds that
 * hold the oldest records are detached, the fullest reading first.
 */
import type { Slot } from './slot.ts';

/** A reading, as the budget sees it. */
export interface Holder {
  heldBytes(): number;
  /** Lets go of what every feed has passed. */
  letGoPassed(): void;
  /** Detaches the feeds that hold the oldest records, if one stands at the head. Whether any was. */
  detachOldest(): boolean;
}

interface Waiting {
  readonly holder: Holder;
  readonly granted: () => void;
}

const PAGE_BYTES = 1024 * 1024;

export class Budget {
  readonly limitBytes: number;
  /** What one sink may have taken and unfinished, rests included, over all its partitions. */
  readonly shareBytes: number;
  readonly #pageBytes: number;
  readonly #permitBytes: number;
  readonly #holders = new Set<Holder>();
  #waiting: Waiting[] = [];
  #usedBytes = 0;
  #permits = 0;
  #granting = false;

  constructor(options: { limitBytes: number; sinks: number; pageBytes?: number }) {
    this.limitBytes = options.limitBytes;
    this.#pageBytes = Math.min(options.pageBytes ?? PAGE_BYTES, Math.max(1, options.limitBytes / 8));
    this.#permitBytes = Math.max(options.limitBytes / 4, 2 * this.#pageBytes);
    this.shareBytes = (options.limitBytes - this.#permitBytes) / (options.sinks + 1);
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  join(holder: Holder): void {
    this.#holders.add(holder);
  }

  leave(holder: Holder): void {
    this.#holders.delete(holder);
  }

  /** Feeds have moved: there may be something to let go of that was not there before. */
  lookAgain(): void {
    this.#grant();
  }

  /** Takes a request back that has not been granted. */
  withdraw(holder: Holder): void {
    this.#waiting = this.#waiting.filter(waiting => waiting.holder !== holder);
  }

  hold(slot: Slot): void {
    slot.holders += 1;
    if (slot.holders === 1) this.#usedBytes += slot.record.bytes;
  }

  release(slot: Slot): void {
    slot.holders -= 1;
    if (slot.holders > 0) return;
    if (slot.holders < 0) throw new Error('a record was let go more often than it was held');
    this.#usedBytes -= slot.record.bytes;
    if (this.#waiting.length > 0) this.#grant();
  }

  /** Calls back, perhaps at once, when the holder has a permit for one page; every permit is given back with `pageArrived`. In turn. */
  request(holder: Holder, granted: () => void): void {
    this.#waiting.push({ holder, granted });
    this.#grant();
  }

  /** The page came (its records are held by now) or never will. */
  pageArrived(): void {
    this.#permits -= 1;
    this.#grant();
  }

  #hasRoom(): boolean {
    const asked = (this.#permits + 1) * this.#pageBytes;
    return asked <= this.#permitBytes && this.#usedBytes + asked <= this.limitBytes;
  }

  #makeRoom(): boolean {
    if ((this.#permits + 1) * this.#pageBytes > this.#permitBytes) return false;
    for (const holder of this.#holders) holder.letGoPassed();
    if (this.#hasRoom()) return true;
    const fullest = [...this.#holders].sort((a, b) => b.heldBytes() - a.heldBytes());
    for (const holder of fullest) {
      if (holder.detachOldest()) holder.letGoPassed();
      if (this.#hasRoom()) return true;
    }
    return false;
  }

  #grant(): void {
    if (this.#granting) return;
    this.#granting = true;
    while (this.#waiting.length > 0 && (this.#hasRoom() || this.#makeRoom())) {
      const [first, ...others] = this.#waiting;
      this.#waiting = others;
      this.#permits += 1;
      first?.granted();
    }
    this.#granting = false;
  }
}
