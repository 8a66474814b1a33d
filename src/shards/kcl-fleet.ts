/**
 * Whether the workers of a Kinesis Client Library application are still alive, judged by what changes in their tables while one looks: counters of leases
 * that we have not written, reports of load, the leader's heartbeat. No two clocks are compared, but to see how long it is worth looking.
 */
import type { EpochMs, Ms } from '../model/units.ts';
import type { KclLease, KclLook } from '../ports/kcl-table.ts';

/** The library's own lease duration, unless it was set; a worker renews three times in it. */
const KCL_LEASE_MS: Ms = 10_000;
/** A worker that holds nothing reports each 30 s; the library itself calls one dead that was silent for twice as long. */
const SILENT_MS: Ms = 60_000;

/** How long nothing may change before the workers count as dead. None: nobody else has ever written, or since we did. */
export function watchMs(look: KclLook, { now, leaseMs }: { now: EpochMs; leaseMs: Ms }): Ms {
  const silences = look.workers.map(({ reportedAt }) => Math.min(SILENT_MS, reportedAt + SILENT_MS - now));
  const silence = Math.max(0, ...silences);
  if (silence === 0 && look.leases.every(({ isOurs }) => isOurs)) return 0;
  return Math.max(KCL_LEASE_MS, leaseMs, silence);
}

/** One line for each sign of life between two looks at the tables. */
export function signsOfLife(before: KclLook, after: KclLook): readonly string[] {
  const leases = new Map(before.leases.map(lease => [lease.key, lease]));
  const reports = new Map(before.workers.map(({ worker, reportedAt }) => [worker, reportedAt]));
  const { leader } = after;
  return [
    ...after.leases.flatMap(lease => signOf(lease, leases.get(lease.key))),
    ...after.workers.flatMap(({ worker, reportedAt }) => (reports.get(worker) === reportedAt ? [] : [`worker ${worker} reports its load`])),
    ...(leader === undefined || leader.version === before.leader?.version ? [] : [`worker ${leader.worker} leads the others`]),
  ];
}

function signOf(lease: KclLease, before: KclLease | undefined): readonly string[] {
  if (lease.isOurs || lease.counter === before?.counter) return [];
  if (before === undefined) return [`somebody made a lease of ${lease.shardId}`];
  const worker = lease.checkpointOwner ?? lease.owner;
  return [worker === undefined ? `somebody let the lease of ${lease.shardId} go` : `worker ${worker} renews its lease of ${lease.shardId}`];
}
