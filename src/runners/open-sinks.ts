/** Opens the enabled sinks of a pipeline, each by itself: one that is slow to open, or cannot be, holds no other up. */
import type { Host } from '../connector.ts';
import type { SinkName } from '../model/units.ts';
import { OpenSink } from '../pipeline/open-sink.ts';
import type { PipelineRunnerParts } from './pipeline-runner-parts.ts';

export function openSinks(parts: PipelineRunnerParts, tableId: string): ReadonlyMap<SinkName, OpenSink> {
  const { plan, clock, service, observer, random, ending } = parts;
  const sinks = new Map<SinkName, OpenSink>();
  for (const { name, type, enabled, connector, options, delivery } of plan.sinks) {
    if (!enabled) continue;
    const log = parts.log.child({ sink: name });
    const labels = { pipeline: plan.name, sink: name, type };
    const host: Host = {
      name,
      writer: `${service}/${plan.name}`,
      sources: [{ table: plan.source.table, region: plan.source.region, tableId }],
      clock,
      random,
      log,
      signal: ending,
      table: options => parts.table(options),
      kinesis: options => parts.kinesis(options),
      count: (what, n) => {
        if (what === 'conflict') observer.conflicts?.(labels, n);
        else observer.sinkThrottled?.({ ...labels, table: plan.source.table, partition: '' });
      },
    };
    const sink = new OpenSink({ name, type, connector, options, delivery, host, clock, log, fatal: parts.fatal });
    if (parts.isPaused(name)) sink.pause();
    sinks.set(name, sink);
    void sink.open();
  }
  return sinks;
}
