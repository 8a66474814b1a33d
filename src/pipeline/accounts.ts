/**
 * Law 8: nothing is dropped in silence. Every record that a sink took is counted as open until it leaves as exactly one outcome, so at every moment
 * `read = written + filtered + coalesced + superseded + duplicate + rejected + dropped + released + open`.
 */
import { type Counts, eachCount } from '../model/status.ts';
import type { Outcome } from '../ports/observer.ts';

export class Accounts {
  readonly counts: Counts = eachCount(() => 0);

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
