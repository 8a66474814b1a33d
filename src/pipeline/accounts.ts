/**
 * Law 8: nothing is dropped in silence. Every record that a sink took is counted as open until it leaves as exactly one outcome, so at every moment
 * `read = written + filtered + coalesced + superseded + duplicate + rejected + dropped + released + open`.
 */
import type { Counts } from '../model/status.ts';
import type { Outcome } from '../ports/observer.ts';

export class Accounts {
  readonly counts: Counts = {
    read: 0,
    written: 0,
    filtered: 0,
    coalesced: 0,
    superseded: 0,
    duplicate: 0,
    rejected: 0,
    dropped: 0,
    released: 0,
    open: 0,
  };

  took(): void {
    this.counts.read += 1;
    this.counts.open += 1;
  }

  finished(outcome: Outcome, records: number): void {
    this.counts[outcome] += records;
    this.counts.open -= records;
    if (this.counts.open < 0) throw new Error(`more records finished as ${outcome} than were taken`);
  }
}
