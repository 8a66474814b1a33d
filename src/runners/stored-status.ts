/**
 * What the state tables say of a service while perhaps nobody runs: streams, shards and their owners, paused sinks, gaps. What only a live worker knows
 * (lag, counts, most states) is null.
 */
import { type PipelineStatus, type SinkStatus, type Status, type TableStatus, UNKNOWN_COUNTS } from '../model/status.ts';
import type { ControlStore, GapRow, SinkRequest, StreamRow } from '../ports/control-store.ts';
import { type LeaseRow, type LeaseStore, partsOfLeaseKey } from '../ports/lease-store.ts';
import { ServiceFault } from '../ports/service-fault.ts';

/** As much of the plan as is needed. */
export interface StatusPlan {
  readonly name: string;
  readonly pipelines: readonly {
    readonly name: string;
    readonly source: { readonly table: string };
    readonly sinks: readonly { readonly name: string; readonly type: string; readonly enabled: boolean }[];
  }[];
}

/** For a person: what stands in the tables beside the status that all endpoints share. */
export interface StoredStatus {
  readonly status: Status;
  /** How many leases each worker holds. */
  readonly owners: ReadonlyMap<string, number>;
  /** Oldest first. */
  readonly gaps: readonly GapRow[];
}

export async function storedStatus(
  plan: StatusPlan,
  { leases, control }: { leases: LeaseStore; control: ControlStore },
  signal: AbortSignal,
): Promise<StoredStatus> {
  const [rows, requests] = await Promise.all([orNone(leases.scan(signal)), orNone(control.sinkRequests(signal))]);
  const found = await Promise.all(
    plan.pipelines.map(async pipeline => {
      const [streams, gaps] = await Promise.all([
        orNone(control.streams(pipeline.name, signal)),
        orNone(control.gaps(pipeline.name, signal)),
      ]);
      return { status: pipelineStatus(pipeline, { rows, requests, streams, gaps }), gaps };
    }),
  );
  const owners = new Map<string, number>();
  for (const { owner } of rows) if (owner !== undefined) owners.set(owner, (owners.get(owner) ?? 0) + 1);
  return {
    status: { name: plan.name, worker: null, ready: null, notReady: [], pipelines: found.map(({ status }) => status) },
    owners,
    gaps: found.flatMap(({ gaps }) => gaps).toSorted((a, b) => a.gap.at - b.gap.at),
  };
}

/** A table that is not there yet: nobody has run. */
async function orNone<T>(rows: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await rows;
  } catch (error) {
    if (error instanceof ServiceFault && error.class === 'missing') return [];
    throw error;
  }
}

interface Stored {
  readonly rows: readonly LeaseRow[];
  readonly requests: readonly SinkRequest[];
  readonly streams: readonly StreamRow[];
  readonly gaps: readonly GapRow[];
}

function pipelineStatus({ name, source, sinks }: StatusPlan['pipelines'][number], stored: Stored): PipelineStatus {
  return {
    name,
    tables: [tableStatus(source.table, stored)],
    sinks: sinks.map(sink => sinkStatus(name, sink, stored)),
  };
}

/** The newest stream's; a shard is closed when its end is known. */
function tableStatus(name: string, { rows, streams }: Stored): TableStatus {
  const streamArn = streams.filter(stream => stream.table === name).at(-1)?.arn ?? null;
  const shards = rows.filter(row => partsOfLeaseKey(row.key).streamArn === streamArn);
  const closed = shards.filter(row => row.endedAt !== undefined || row.children.length > 0).length;
  return { name, streamArn, shards: { open: shards.length - closed, closed, owned: null, waiting: null } };
}

function sinkStatus(
  pipeline: string,
  { name, type, enabled }: StatusPlan['pipelines'][number]['sinks'][number],
  { requests, gaps }: Stored,
): SinkStatus {
  const paused = requests.some(request => request.pipeline === pipeline && request.sink === name && request.paused);
  return {
    ...UNKNOWN_COUNTS,
    name,
    type,
    state: paused ? 'paused' : enabled ? null : 'stopped',
    reason: paused ? 'paused by an operator' : enabled ? null : 'disabled in the settings',
    lagSeconds: null,
    retentionLeftSeconds: null,
    gaps: gaps.filter(row => row.sinks.includes(name)).length,
    letters: null,
    parkedKeys: null,
  };
}
