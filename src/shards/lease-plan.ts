/**
 * What to do about the leases, as a pure function of the rows of one scan, of what is known of their owners' life, of the other workers, and of what is
 * held here. The keeper (lease-keeper.ts) obeys. A row of a live owner is never taken: its owner hands it over (law 7).
 */
import type { LeaseKey, LeaseRow } from '../ports/lease-store.ts';
import { canTake, leaseTargets, type TargetView } from './lease-targets.ts';

export interface LeaseView extends TargetView {
  readonly me: string;
  /** Leases held here. */
  readonly held: ReadonlySet<LeaseKey>;
  /** Held, but not to be moved for balance: they came here a moment ago. */
  readonly pinned: ReadonlySet<LeaseKey>;
  /** Held, and on their way already. */
  readonly going: ReadonlySet<LeaseKey>;
  /** Expired for an interval, and nobody has taken them: whose they are by right may be frozen, or count their life from a late first look. */
  readonly leftOver: ReadonlySet<LeaseKey>;
  /** How many more rows may be moved for balance now. */
  readonly movesLeft: number;
}

export interface LeasePlan {
  /** As they were seen: a take holds only for that counter. */
  readonly take: readonly LeaseRow[];
  /** Held here and not worth it any more. */
  readonly release: readonly LeaseKey[];
  /** Held here, and another's by right. */
  readonly handOver: readonly { readonly key: LeaseKey; readonly target: string }[];
  /** Ours by right, and a live owner's still. */
  readonly awaited: ReadonlySet<LeaseKey>;
  /** Others' by right, and free. */
  readonly freeFor: ReadonlyMap<LeaseKey, string>;
}

export function leasePlan(view: LeaseView): LeasePlan {
  const { rows, runnable, held, me, movesLeft } = view;
  const targets = leaseTargets({ ...view, expired: without(view.expired, held) });
  const self = view.workers.find(({ id }) => id === me);
  const others = rows.filter(({ key }) => runnable.has(key) && !held.has(key));
  return {
    take: others.filter(row => !self?.unable.has(row.key) && isToTake(row, view, targets)),
    release: [...held].filter(key => !runnable.has(key)),
    awaited: new Set(others.filter(row => targets.get(row.key) === me && row.owner !== me && !isFree(row, view)).map(({ key }) => key)),
    handOver: handOvers(view, targets).slice(0, Math.max(0, movesLeft)),
    freeFor: new Map(
      others.flatMap(({ key, owner }) => {
        const target = targets.get(key);
        return owner !== undefined || target === undefined || target === me ? [] : [[key, target] as const];
      }),
    ),
  };
}

function isToTake(row: LeaseRow, view: LeaseView, targets: ReadonlyMap<LeaseKey, string>): boolean {
  const { me, leftOver } = view;
  return row.owner === me || leftOver.has(row.key) || (targets.get(row.key) === me && isFree(row, view));
}

/** What is pinned is stood in for by another row: only its owner moves a row, so which ones go is its choice. */
function handOvers(view: LeaseView, targets: ReadonlyMap<LeaseKey, string>): LeasePlan['handOver'] {
  const { held, pinned, going, me } = view;
  const stand = new Set([...held].filter(key => targets.get(key) === me && !pinned.has(key) && !going.has(key)));
  return [...held].flatMap(key => {
    const target = targets.get(key);
    if (target === undefined || target === me || going.has(key)) return [];
    if (!pinned.has(key)) return [{ key, target }];
    const worker = view.workers.find(({ id }) => id === target);
    const other = [...stand].find(one => worker !== undefined && canTake(worker, one));
    if (other === undefined) return [];
    stand.delete(other);
    return [{ key: other, target }];
  });
}

/** Nobody's, or a dead owner's. One that names us though we do not hold it was handed over, or our take was applied and its answer lost. */
function isFree(row: LeaseRow, { expired }: LeaseView): boolean {
  return row.owner === undefined || expired.has(row.key);
}

function without(keys: ReadonlySet<LeaseKey>, those: ReadonlySet<LeaseKey>): ReadonlySet<LeaseKey> {
  return new Set([...keys].filter(key => !those.has(key)));
}
