/** The daemon's status and readiness, as the contract's `/status` and `/readyz` show them. */
import { type PipelineStatus, SINK_STATES, type SinkState, type SinkStatus, type Status, UNKNOWN_COUNTS } from '../model/status.ts';
import type { EpochMs, Ms } from '../model/units.ts';
import type { OpenSink } from '../pipeline/open-sink.ts';
import type { RunSinkStatus } from '../pipeline/run.ts';
import type { SinkPlan } from './daemon-plan.ts';
import { type DaemonView, lagSeconds, retentionLeftSeconds, runsOf, shardCounts, statusesOf } from './daemon-view.ts';
import type { PipelineRunner } from './pipeline-runner.ts';

/** An owned shard that has room must have had an answer within this, or three of its idle waits. */
const SILENT_MS: Ms = 30_000;

export function daemonStatus(view: DaemonView): Status {
  const notReady = reasonsNotReady(view);
  return {
    name: view.plan.name,
    worker: view.plan.worker,
    ready: notReady.length === 0,
    notReady,
    pipelines: view.pipelines.map(pipeline => pipelineStatus(pipeline, view.clock.now())),
  };
}

/** A broken target is never among them. */
export function reasonsNotReady({ troubles, keeper, pipelines }: DaemonView): readonly string[] {
  const reasons = [...troubles()];
  if (keeper.scanAgeMs === undefined && reasons.length === 0) reasons.push('the lease table has not been read yet');
  for (const pipeline of pipelines) {
    const { name, state, reason, plan } = pipeline;
    if (state !== 'running')
      reasons.push(`pipeline ${name} ${state === 'halted' ? 'halts' : 'starts'}: ${reason ?? 'the first listing is awaited'}`);
    else if (!pipeline.isOpened) reasons.push(`pipeline ${name}: its shards are being opened`);
    const limitMs = Math.max(SILENT_MS, 3 * plan.source.idleMs);
    const silent = runsOf(pipeline).filter(run => run.silentMs > limitMs);
    const [first] = silent;
    if (first === undefined) continue;
    const seconds = Math.round(Math.max(...silent.map(run => run.silentMs)) / 1000);
    reasons.push(`pipeline ${name}: ${silent.length} shards have not answered for up to ${seconds} s, ${first.shardId} among them`);
  }
  return reasons;
}

function pipelineStatus(pipeline: PipelineRunner, now: EpochMs): PipelineStatus {
  const { name, plan, reason } = pipeline;
  const newest = pipeline.streams.at(-1);
  const tables = [{ name: plan.source.table, streamArn: newest?.arn ?? null, shards: shardCounts(pipeline) }];
  const sinks = plan.sinks.map(sink => sinkStatus(sink, pipeline, now));
  return reason === undefined ? { name, tables, sinks } : { name, reason, tables, sinks };
}

function sinkStatus({ name, type, enabled }: SinkPlan, pipeline: PipelineRunner, now: EpochMs): SinkStatus {
  const sink = pipeline.sinks.get(name);
  const gaps = pipeline.gaps.count(name);
  if (sink === undefined) {
    const state = enabled ? 'waiting' : 'stopped';
    const reason = enabled ? (pipeline.reason ?? 'not open yet') : 'disabled';
    return {
      name,
      type,
      state,
      reason,
      ...UNKNOWN_COUNTS,
      lagSeconds: null,
      retentionLeftSeconds: null,
      gaps,
      letters: null,
      parkedKeys: null,
    };
  }
  const statuses = statusesOf(pipeline, name);
  const lag = lagSeconds(statuses, now);
  return {
    name,
    type,
    ...worst(sink, statuses, pipeline),
    lagSeconds: Math.round(lag * 1000) / 1000,
    retentionLeftSeconds: retentionLeftSeconds(lag),
    ...sink.accounts.counts,
    gaps,
    // Dead letters come with the failure policy.
    letters: 0,
    parkedKeys: 0,
  };
}

/** The worst that holds, of the sink itself and of it at each shard. */
function worst(sink: OpenSink, statuses: readonly RunSinkStatus[], pipeline: PipelineRunner): { state: SinkState; reason: string | null } {
  if (sink.state === 'opening') return { state: 'waiting', reason: sink.reason };
  if (sink.state !== 'open') return { state: sink.state, reason: sink.reason };
  const all = statuses.map(({ state, stalled }) => ({ state: stalled === null ? state : ('stalled' as const), reason: stalled }));
  if (all.length === 0) return withoutShards(sink, pipeline);
  const { state, reason } = all.reduce((a, b) => (SINK_STATES.indexOf(b.state) < SINK_STATES.indexOf(a.state) ? b : a));
  const reasons = [reason, sink.trouble.reason].filter(each => each !== null);
  return { state, reason: reasons.length === 0 ? null : reasons.join('; ') };
}

function withoutShards(sink: OpenSink, { streams, reason }: PipelineRunner): { state: SinkState; reason: string | null } {
  if (streams.length > 0 && streams.every(stream => stream.hasEnded(sink.name))) return { state: 'ended', reason: reason ?? null };
  return { state: 'waiting', reason: reason ?? 'this worker holds no shard' };
}
