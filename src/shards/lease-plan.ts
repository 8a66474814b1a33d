/**
 * What to do about the leases, as a pure function of the rows of one scan, of what is known of their owners' life, and of what is held here. The
 * keeper (lease-keeper.ts) obeys. A row of a live owner is never taken: law 7.
 */
import type { LeaseKey, LeaseRow } from '../ports/lease-store.ts';

export interface LeaseView {
  readonly rows: readonly LeaseRow[];
  readonly me: string;
  /** Shards that are worth a lease. */
  readonly runnable: ReadonlySet<LeaseKey>;
  /** Owners that have not moved their row's counter for a lease's duration. */
  readonly expired: ReadonlySet<LeaseKey>;
  /** Leases held here. */
  readonly held: ReadonlySet<LeaseKey>;
  /** Rows that may not be taken here: something of an earlier run of them has not settled. */
  readonly unsettled: ReadonlySet<LeaseKey>;
}

export interface LeasePlan {
  /** As they were seen: a take holds only for that counter. */
  readonly take: readonly LeaseRow[];
  /** Held here and not worth it any more. */
  readonly release: readonly LeaseKey[];
}

export function leasePlan(view: LeaseView): LeasePlan {
  const { runnable, held, unsettled } = view;
  return {
    take: view.rows.filter(row => runnable.has(row.key) && !held.has(row.key) && !unsettled.has(row.key) && isFree(row, view)),
    release: [...held].filter(key => !runnable.has(key)),
  };
}

/** Nobody's, a dead owner's, or named for us though we do not hold it (our take was applied and its answer lost). */
function isFree(row: LeaseRow, { me, expired }: LeaseView): boolean {
  return row.owner === undefined || row.owner === me || expired.has(row.key);
}
