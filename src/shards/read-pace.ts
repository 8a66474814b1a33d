/**
 * When a shard is read again. Each read is billed, an empty one too, so a page that was not full is followed after a wait, and a shard that has been
 * empty for long may wait longer; but an empty page is no proof that the tip is reached, and a closed shard has an end that others wait for.
 */
import type { Ms } from '../model/units.ts';
import type { Random } from '../ports/clock.ts';

/** The service gives at most 1,000 records or 1 MB. */
const FULL_RECORDS = 1_000;
const FULL_BYTES = 900_000;
/** So many empty pages may lie between the records of a shard that is behind. */
const PATIENT_PAGES = 30;
const TROUBLE_MS: Ms = 100;
const TROUBLE_CAP_MS: Ms = 10_000;
const NOTICE_THROTTLES = 5;
const NOTICE_WITHIN_MS: Ms = 60_000;
const NOTICE_AGAIN_MS: Ms = 600_000;

export function isFull(page: { readonly records: number; readonly bytes: number }): boolean {
  return page.records >= FULL_RECORDS || page.bytes >= FULL_BYTES;
}

export class ReadPace {
  readonly #pollMs: Ms;
  readonly #idleMs: Ms;
  #empty = 0;
  #unconfirmed = 0;

  constructor({ pollMs, idleMs }: { readonly pollMs: Ms; readonly idleMs: Ms }) {
    this.#pollMs = pollMs;
    this.#idleMs = Math.max(pollMs, idleMs);
  }

  /** The wait after a page. */
  after(page: { readonly records: number; readonly bytes: number }, isClosed: boolean): Ms {
    this.#empty = page.records > 0 ? 0 : this.#empty + 1;
    if (page.records > 0) this.#unconfirmed = 0;
    if (isFull(page)) return 0;
    if (isClosed || this.#empty <= PATIENT_PAGES) return this.#pollMs;
    return Math.min(this.#idleMs, this.#pollMs * 2 ** Math.min(30, this.#empty - PATIENT_PAGES));
  }

  /** The wait after an end that was not confirmed: some servers give no next iterator on an open shard. */
  afterUnconfirmedEnd(): Ms {
    this.#unconfirmed += 1;
    return Math.min(Math.max(this.#idleMs, 1_000), this.#pollMs * 2 ** Math.min(30, this.#unconfirmed - 1));
  }
}

/** Full jitter between 100 ms and a growing ceiling of at most 10 s. `failures` in a row, at least 1. */
export function troubleMs(failures: number, random: Random): Ms {
  const ceilingMs = Math.min(TROUBLE_CAP_MS, TROUBLE_MS * 2 ** Math.min(30, failures));
  return TROUBLE_MS + (ceilingMs - TROUBLE_MS) * random.next();
}

/** Tells when throttles of one shard are worth a line: some within a minute, however many reads succeed between them; then not for a while. */
export class ThrottleNotice {
  #recent: Ms[] = [];
  #saidAt = Number.NEGATIVE_INFINITY;

  isDue(elapsed: Ms): boolean {
    this.#recent = [...this.#recent, elapsed].slice(-NOTICE_THROTTLES);
    const [oldest = 0] = this.#recent;
    if (this.#recent.length < NOTICE_THROTTLES || elapsed - oldest > NOTICE_WITHIN_MS) return false;
    if (elapsed - this.#saidAt < NOTICE_AGAIN_MS) return false;
    this.#saidAt = elapsed;
    return true;
  }
}
