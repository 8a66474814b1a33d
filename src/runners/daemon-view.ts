/** What the daemon shows of itself is looked up in these, when somebody asks. */
import type { EpochMs, SinkName } from '../model/units.ts';
import type { Budget } from '../pipeline/budget.ts';
import type { RunSinkStatus } from '../pipeline/run.ts';
import type { Clock } from '../ports/clock.ts';
import type { LeaseRow } from '../ports/lease-store.ts';
import { RETENTION_MS } from '../shards/gap-scope.ts';
import type { LeaseKeeper } from '../shards/lease-keeper.ts';
import type { DaemonPlan } from './daemon-plan.ts';
import type { PipelineRunner } from './pipeline-runner.ts';
import type { ShardRun } from './shard-run.ts';

export interface DaemonView {
  readonly plan: DaemonPlan;
  readonly clock: Clock;
  readonly budget: Budget;
  readonly keeper: LeaseKeeper;
  readonly pipelines: readonly PipelineRunner[];
  /** With the state tables. */
  readonly troubles: () => readonly string[];
}

export function runsOf(pipeline: PipelineRunner): readonly ShardRun[] {
  return pipeline.streams.flatMap(stream => stream.runs);
}

export function statusesOf(pipeline: PipelineRunner, sink: SinkName): readonly RunSinkStatus[] {
  return runsOf(pipeline)
    .map(run => run.sinkStatus(sink))
    .filter(status => status !== undefined);
}

/** Seconds since the oldest record was made that is not durable; 0 when there is none. */
export function lagSeconds(statuses: readonly RunSinkStatus[], now: EpochMs): number {
  return Math.max(0, ...statuses.map(({ oldestAt }) => (oldestAt === null ? 0 : (now - oldestAt) / 1000)));
}

export function retentionLeftSeconds(lag: number): number | null {
  return lag === 0 ? null : Math.max(0, RETENTION_MS / 1000 - lag);
}

/** Of all streams of the pipeline's table. Another worker may list for all: what began since the last listing here is known by its row. */
export function shardCounts(pipeline: PipelineRunner) {
  let [open, closed, waiting] = [0, 0, 0];
  for (const { graph, positions } of pipeline.streams) {
    const unlisted = [...positions.rows.keys()].filter(shard => !graph.listed.has(shard) && graph.mayHaveBegunSince(shard));
    for (const shardId of [...graph.listed, ...unlisted]) {
      if (graph.isClosed || graph.closed.has(shardId) || hasChildren(positions.rows.get(shardId))) closed += 1;
      else open += 1;
    }
    for (const row of positions.rows.values()) if (!positions.hasEnded(row) && !positions.isRunnable(row)) waiting += 1;
  }
  return { open, closed, waiting, owned: runsOf(pipeline).length };
}

function hasChildren(row: LeaseRow | undefined): boolean {
  return row !== undefined && (row.children.length > 0 || row.endedAt !== undefined);
}
