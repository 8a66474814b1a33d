/** What this worker knows of the share of the others: it makes the plan, tells others what is theirs, and knows the heirs when it leaves. */
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { LeaseKey, LeaseRow } from '../ports/lease-store.ts';
import { Awaited } from './awaited.ts';
import type { LeaseTiming } from './held-lease.ts';
import { type LeasePlan, type LeaseView, leasePlan } from './lease-plan.ts';
import { leaseTargets } from './lease-targets.ts';
import type { Crew } from './membership.ts';
import { Moves } from './moves.ts';

export interface BalanceParts {
  readonly clock: Clock;
  readonly timing: LeaseTiming;
  readonly worker: string;
  readonly crew: Crew;
  /** Its owner lives and does not hand it over, though it is ours. */
  readonly stuck: (row: LeaseRow) => void;
}

/** What a scan has shown. */
export type Seen = Pick<LeaseView, 'rows' | 'runnable' | 'expired' | 'leftOver' | 'held'> & { readonly unsettled: ReadonlySet<LeaseKey> };

/** Thousands of leases are given away within a second, and the others may change meanwhile. */
const HEIRS_MS: Ms = 100;

export class Balance {
  readonly moves: Moves;
  readonly #parts: BalanceParts;
  readonly #awaited: Awaited;
  #view: LeaseView | undefined;
  #freeFor: ReadonlyMap<LeaseKey, string> = new Map();
  #isLeaving = false;
  #expected: ReadonlySet<LeaseKey> = new Set();
  #heirs: { readonly at: Ms; readonly targets: ReadonlyMap<LeaseKey, string> } | undefined;

  constructor(parts: BalanceParts) {
    this.#parts = parts;
    this.#awaited = new Awaited(parts.timing.renewMs);
    this.moves = new Moves(parts.clock, parts.timing.renewMs);
  }

  plan({ unsettled, ...seen }: Seen): LeasePlan {
    const { worker: me, crew } = this.#parts;
    const workers = crew.workers.map(one => (one.id === me ? { ...one, unable: unsettled } : one));
    const takers = workers.filter(({ draining }) => !draining).length;
    const movesLeft = this.moves.left(Math.ceil(seen.runnable.size / Math.max(1, takers)));
    const { pinned, going } = this.moves;
    this.#view = { ...seen, me, workers, pinned, going, movesLeft };
    const plan = leasePlan(this.#view);
    this.#expected = plan.awaited;
    this.#tell(plan.freeFor);
    for (const row of this.#awaited.look(seen.rows, plan.awaited, this.#parts.clock.elapsed())) this.#parts.stuck(row);
    return plan;
  }

  /** It stays here for a while if it was moved for balance; who leaves gives away what others may want at once. */
  arrived({ key, handoffFrom }: LeaseRow): void {
    const giver = this.#parts.crew.workers.find(({ id }) => id === handoffFrom);
    if (giver !== undefined && !giver.draining) this.moves.arrived(key);
  }

  /** From now on what is given away goes to whose it is without us. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** Whether some of these rows may be on their way to us, as of the last plan. */
  expects(rows: readonly LeaseRow[]): boolean {
    return rows.some(({ key, owner }) => this.#expected.has(key) && owner !== undefined && owner !== this.#parts.worker);
  }

  /** Whose a row is once we leave; before, nobody's. */
  heir(key: LeaseKey): string | undefined {
    if (!this.#isLeaving || this.#view === undefined) return undefined;
    const { clock, crew, worker } = this.#parts;
    if (this.#heirs === undefined || clock.elapsed() - this.#heirs.at >= HEIRS_MS) {
      const workers = crew.workers.filter(({ id }) => id !== worker);
      this.#heirs = { at: clock.elapsed(), targets: leaseTargets({ ...this.#view, workers }) };
    }
    return this.#heirs.targets.get(key);
  }

  /** Rows that have come free, each once. */
  #tell(freeFor: ReadonlyMap<LeaseKey, string>): void {
    for (const [key, target] of freeFor) if (this.#freeFor.get(key) !== target) this.#parts.crew.ring(target);
    this.#freeFor = freeFor;
  }
}
