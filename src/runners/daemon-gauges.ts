/** The daemon's numbers for the metrics that are looked at, not announced. */
import type { EpochMs } from '../model/units.ts';
import type { Gauges } from '../ports/observer.ts';
import { type DaemonView, lagSeconds, retentionLeftSeconds, runsOf, shardCounts, statusesOf } from './daemon-view.ts';
import type { PipelineRunner } from './pipeline-runner.ts';
import type { ShardRun } from './shard-run.ts';

export function daemonGauges({ budget, keeper, pipelines, clock }: DaemonView): Gauges {
  const now = clock.now();
  return {
    memoryBytes: budget.usedBytes,
    leasesOwned: keeper.held.size,
    pipelines: pipelines.map(pipeline => pipelineGauges(pipeline, now)),
  };
}

function pipelineGauges(pipeline: PipelineRunner, now: EpochMs): Gauges['pipelines'][number] {
  const { open, waiting } = shardCounts(pipeline);
  const runs = runsOf(pipeline);
  const sinks = [...pipeline.sinks.keys()];
  return {
    pipeline: pipeline.name,
    tables: [
      {
        table: pipeline.plan.source.table,
        iteratorAgeSeconds: Math.max(0, ...runs.map(run => iteratorAgeSeconds(run, sinks, now))),
        shardsOpen: open,
        shardsWaiting: waiting,
      },
    ],
    checkpointAgeSeconds: Math.max(0, ...runs.map(run => run.checkpointAgeMs / 1000)),
    sinks: sinks.map(name => sinkGauges(pipeline, name, now)),
  };
}

/** The fastest sink sets the pace of a shard's reading, so its age is the reading's. */
function iteratorAgeSeconds(run: ShardRun, sinks: readonly string[], now: EpochMs): number {
  const ages = sinks
    .map(name => run.sinkStatus(name))
    .filter(status => status !== undefined && status.state !== 'waiting' && status.state !== 'ended')
    .map(status => lagSeconds(status === undefined ? [] : [status], now));
  return ages.length === 0 ? 0 : Math.min(...ages);
}

function sinkGauges(pipeline: PipelineRunner, name: string, now: EpochMs): Gauges['pipelines'][number]['sinks'][number] {
  const sink = pipeline.sinks.get(name);
  const statuses = statusesOf(pipeline, name);
  const lag = lagSeconds(statuses, now);
  return {
    sink: name,
    type: sink?.type ?? '',
    lagSeconds: lag,
    retentionLeftSeconds: retentionLeftSeconds(lag),
    open: sink?.accounts.counts.open ?? 0,
    behind: statuses.some(({ state }) => state === 'behind'),
    halted: sink?.state === 'halted',
    keysParked: 0,
    lettersOpen: 0,
  };
}
