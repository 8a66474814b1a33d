/**
 * Where one pass over a shard stands, and what follows from it: which iterator to ask for, which records of an answer are new, what may have been lost
 * before them. Pure. Iterators come and go; only what was delivered moves the place, so whatever happens to an iterator is healed from here.
 *
 * A number that cannot be read from any more leaves a *hole*: reading goes on at the oldest record held, and the first record seen decides. One at or
 * before the place proves that nothing between was lost (the oldest are trimmed first); a later one makes a gap, for what lay between cannot be known.
 */
import type { ChangeRecord } from '../model/change-record.ts';
import type { Gap, Page } from '../model/page.ts';
import { compareTokens, type Position, type Token } from '../model/position.ts';
import type { EpochMs, Ms } from '../model/units.ts';
import type { IteratorPlace } from '../ports/stream-api.ts';
import { RETENTION_MS } from './gap-scope.ts';

export interface ShardOrigin {
  /** The shard's first number, where it is known. */
  readonly startingToken?: Token | undefined;
  /** When the shard began, where its id says so. */
  readonly beganAt?: EpochMs | undefined;
}

/** A partly trimmed shard may open without an error; an hour for what takes its time. */
const WHOLE_MS: Ms = RETENTION_MS - 3_600_000;
/** A local server cuts the time of a record to the minute; one second for the cut to the second. */
const CUT_MS: Ms = 61_000;
const OPENED_LATE = 'the shard was opened so late that its first records may have been trimmed before they were read';

export class ShardCursor {
  readonly #origin: ShardOrigin;
  #place: Position;
  /** Why the place's number cannot be read from. */
  #numberLost: string | undefined;
  #hole: { readonly note: string } | undefined;
  /** At a tip that is read from the oldest record: older ones than this are not wanted, until the first that is. */
  #notBefore: EpochMs | undefined;

  constructor(from: Position, origin: ShardOrigin) {
    this.#place = from;
    this.#origin = origin;
  }

  /** Nothing after the tip has been read yet. */
  get isAtTip(): boolean {
    return this.#place.at === 'tip';
  }

  /** From when on records are missing if nothing more can be read; undefined when that is not known. */
  get wantedSince(): EpochMs | undefined {
    const place = this.#place;
    if (place.at === 'from' || place.at === 'after') return place.changedAt;
    if (place.at === 'tip') return Math.max(place.takenAt, this.#origin.beganAt ?? 0);
    return this.#origin.beganAt;
  }

  iteratorPlace(): Exclude<IteratorPlace, { type: 'LATEST' }> {
    const place = this.#place;
    if (place.at === 'tip' && place.readTo !== undefined && this.#numberLost === undefined) {
      return { type: 'AFTER_SEQUENCE_NUMBER', token: place.readTo };
    }
    if ((place.at !== 'from' && place.at !== 'after') || this.#numberLost !== undefined) return { type: 'TRIM_HORIZON' };
    return { type: place.at === 'from' ? 'AT_SEQUENCE_NUMBER' : 'AFTER_SEQUENCE_NUMBER', token: place.token };
  }

  /** An iterator was given. */
  opened({ type }: IteratorPlace, servedAt: EpochMs): void {
    const place = this.#place;
    if (place.at === 'tip') this.#notBefore = place.takenAt - CUT_MS;
    if (type !== 'TRIM_HORIZON') return;
    const since = this.wantedSince;
    if (this.#numberLost !== undefined) this.#hole ??= { note: this.#numberLost };
    else if (since !== undefined && servedAt - since > WHOLE_MS) this.#hole ??= { note: OPENED_LATE };
  }

  /** What comes next cannot be read from its number. */
  loseNumber(note: string): void {
    this.#numberLost = note;
  }

  /** Of what was read: what is to be delivered, and what was lost before it. The same array when all of it is new. */
  take(read: readonly ChangeRecord[], servedAt: EpochMs): Pick<Page, 'records' | 'gap' | 'readTo'> {
    const [first] = read;
    if (first === undefined) return { records: read };
    const hole = this.#hole;
    this.#hole = undefined;
    const gap = hole === undefined || this.#adjoins(first) ? {} : { gap: this.#gap('trimmed', servedAt, hole.note, first.token) };
    const known = read.findIndex(record => this.#isNew(record));
    const records = known === 0 ? read : known < 0 ? [] : read.slice(known);
    const last = read.at(-1);
    if (records.length === 0 && this.#notBefore !== undefined && last !== undefined) {
      this.delivered(read);
      return { records, ...gap, readTo: last.token };
    }
    if (records.length > 0) this.#notBefore = undefined;
    return { records, ...gap };
  }

  /** Whoever reads has taken these. */
  delivered(records: readonly ChangeRecord[]): void {
    const last = records.at(-1);
    if (last === undefined) return;
    this.#place = { at: 'after', token: last.token, changedAt: last.changedAt };
    this.#numberLost = undefined;
  }

  /** What is left of a hole when the shard ends without another record. */
  holeAtEnd(servedAt: EpochMs): { readonly gap?: Gap } {
    return this.#hole === undefined ? {} : { gap: this.#gap('trimmed', servedAt, this.#hole.note) };
  }

  /** The rest of the shard cannot be read any more. */
  restLost(servedAt: EpochMs): Gap {
    return this.#gap('shard-gone', servedAt, 'the shard was trimmed as a whole before it had been read to its end');
  }

  #isNew(record: ChangeRecord): boolean {
    const place = this.#place;
    if (this.#notBefore !== undefined && record.changedAt < this.#notBefore) return false;
    if (place.at === 'after') return compareTokens(record.token, place.token) > 0;
    return place.at !== 'from' || compareTokens(record.token, place.token) >= 0;
  }

  #adjoins(first: ChangeRecord): boolean {
    const place = this.#place;
    if (place.at === 'from' || place.at === 'after') return compareTokens(first.token, place.token) <= 0;
    if (this.#notBefore !== undefined) return first.changedAt < this.#notBefore;
    const { startingToken } = this.#origin;
    return startingToken !== undefined && compareTokens(first.token, startingToken) <= 0;
  }

  #gap(reason: Gap['reason'], at: EpochMs, note: string, to?: Token): Gap {
    const place = this.#place;
    const from = place.at === 'from' || place.at === 'after' ? place.token : this.#origin.startingToken;
    return { reason, at, note, ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  }
}
