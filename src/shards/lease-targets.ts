/**
 * Which worker every runnable row belongs to: a pure function that all workers work out alike from the same rows, so that no leader is needed. A view
 * that differs only leaves a row where it is, or free, for an interval; the conditional writes decide. Owners keep what they have up to their share,
 * what is over goes by rendezvous hash, so that few rows move when a worker comes or goes.
 */
import { type LeaseKey, type LeaseRow, partsOfLeaseKey } from '../ports/lease-store.ts';

/** A worker that is alive. */
export interface Candidate {
  readonly id: string;
  readonly weight: number;
  /** It gives everything away. */
  readonly draining: boolean;
  /** Stream ARNs. */
  readonly serves: ReadonlySet<string>;
  readonly unable: ReadonlySet<LeaseKey>;
}

export interface TargetView {
  readonly rows: readonly LeaseRow[];
  readonly runnable: ReadonlySet<LeaseKey>;
  /** Rows whose owners have not moved their counter for a lease's duration. */
  readonly expired: ReadonlySet<LeaseKey>;
  readonly workers: readonly Candidate[];
}

interface Share {
  readonly worker: Candidate;
  cap: number;
  placed: number;
}

/** Runnable row -> worker; a row that nobody can take has none. */
export function leaseTargets(view: TargetView): ReadonlyMap<LeaseKey, string> {
  const rows = view.rows.filter(row => view.runnable.has(row.key)).sort((a, b) => (a.key < b.key ? -1 : 1));
  const parentOwners = ownersByShard(view.rows);
  const shares = sharesOf(rows, view, parentOwners);
  const targets = new Map<LeaseKey, string>();
  const place = (row: LeaseRow, share: Share | undefined) => {
    if (share === undefined) return;
    share.placed += 1;
    targets.set(row.key, share.worker.id);
  };
  const left = rows.filter(row => {
    const owner = incumbent(row, view, shares);
    if (owner === undefined || owner.placed >= owner.cap) return true;
    place(row, owner);
    return false;
  });
  for (const row of left) place(row, newHome(row, { view, shares, parentOwners }));
  return targets;
}

/** Who lists a stream for all: one of those who serve it, the same for all who see the same workers; undefined when nobody serves it. */
export function listerOf(workers: readonly Candidate[], streamArn: string): string | undefined {
  const scores = workers
    .filter(({ draining, serves }) => !draining && serves.has(streamArn))
    .map(({ id }) => ({ id, score: hash(`${id}\n${streamArn}`) }));
  return scores.toSorted((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))[0]?.id;
}

/** By weight, rounded down; the rows that are left go one each to those who hold most over their share, so that nothing moves for a remainder. */
function sharesOf(rows: readonly LeaseRow[], view: TargetView, parentOwners: ReadonlyMap<LeaseKey, string>): ReadonlyMap<string, Share> {
  const streams = new Set(rows.map(streamOf));
  const serving = view.workers.filter(({ draining, serves }) => !draining && [...streams].some(arn => serves.has(arn)));
  const weights = serving.reduce((sum, { weight }) => sum + weight, 0);
  const shares = new Map(
    serving.map(worker => [worker.id, { worker, cap: Math.floor((rows.length * worker.weight) / weights), placed: 0 }]),
  );
  const over = new Map([...shares.values()].map(share => [share, -share.cap]));
  for (const row of rows) {
    const owner = incumbent(row, view, shares) ?? parentShare(row, shares, parentOwners);
    if (owner !== undefined) over.set(owner, (over.get(owner) ?? 0) + 1);
  }
  const order = [...over].sort(([a, overA], [b, overB]) => overB - overA || (a.worker.id < b.worker.id ? -1 : 1));
  const remainder = rows.length - order.reduce((sum, [{ cap }]) => sum + cap, 0);
  for (const [share] of order.slice(0, Math.max(0, remainder))) share.cap += 1;
  return shares;
}

function incumbent(row: LeaseRow, { expired }: TargetView, shares: ReadonlyMap<string, Share>): Share | undefined {
  const share = row.owner === undefined || expired.has(row.key) ? undefined : shares.get(row.owner);
  return share !== undefined && canTake(share.worker, row.key) ? share : undefined;
}

export function canTake({ serves, unable }: Candidate, key: LeaseKey): boolean {
  return serves.has(partsOfLeaseKey(key).streamArn) && !unable.has(key);
}

/** A child goes to who read its parent; else by hash to who has room; else it stays where it is, or goes to whoever can take it. */
function newHome(
  row: LeaseRow,
  { view, shares, parentOwners }: { view: TargetView; shares: ReadonlyMap<string, Share>; parentOwners: ReadonlyMap<string, string> },
): Share | undefined {
  const able = [...shares.values()].filter(({ worker }) => canTake(worker, row.key));
  // Whoever let it expire comes last: it is dead, or cannot renew.
  const better = view.expired.has(row.key) ? able.filter(({ worker }) => worker.id !== row.owner) : able;
  const roomy = better.filter(({ placed, cap }) => placed < cap);
  const owner = incumbent(row, view, shares);
  const heir = owner === undefined ? parentShare(row, shares, parentOwners) : undefined;
  if (heir !== undefined && roomy.includes(heir)) return heir;
  return byHash(row, roomy) ?? owner ?? byHash(row, better) ?? byHash(row, able);
}

/** Of the worker that reads the parent, or was the last to do so. */
function parentShare(row: LeaseRow, shares: ReadonlyMap<string, Share>, parentOwners: ReadonlyMap<LeaseKey, string>): Share | undefined {
  const stream = streamOf(row);
  const ids = row.parents.map(shard => parentOwners.get(`${stream}:${shard}`));
  return ids.map(id => (id === undefined ? undefined : shares.get(id))).find(share => share !== undefined);
}

function ownersByShard(rows: readonly LeaseRow[]): ReadonlyMap<LeaseKey, string> {
  return new Map(
    rows.flatMap(({ key, owner, lastOwner }) => {
      const last = owner ?? lastOwner;
      return last === undefined ? [] : [[key, last] as const];
    }),
  );
}

function byHash(row: LeaseRow, shares: readonly Share[]): Share | undefined {
  let best: { share: Share; score: number } | undefined;
  for (const share of shares) {
    const score = hash(`${share.worker.id}\n${row.key}`);
    if (best === undefined || score > best.score || (score === best.score && share.worker.id < best.share.worker.id))
      best = { share, score };
  }
  return best?.share;
}

function streamOf(row: LeaseRow): string {
  return partsOfLeaseKey(row.key).streamArn;
}

/** FNV-1a with a finish that spreads the last characters, in which keys differ. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
