/** Numbers that are looked at when somebody asks: observable gauges over the daemon's own account of itself. */
import type { BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import type { Gauges } from '../ports/observer.ts';
import { METRICS, tableAttributes } from './telemetry-names.ts';

type GaugeName =
  | 'iteratorAge'
  | 'sinkLag'
  | 'retentionLeft'
  | 'sinkOpen'
  | 'memory'
  | 'behind'
  | 'halted'
  | 'parked'
  | 'checkpointAge'
  | 'leasesOwned'
  | 'shardsOpen'
  | 'shardsWaiting'
  | 'lettersOpen';

const NAMES: readonly GaugeName[] = [
  'iteratorAge',
  'sinkLag',
  'retentionLeft',
  'sinkOpen',
  'memory',
  'behind',
  'halted',
  'parked',
  'checkpointAge',
  'leasesOwned',
  'shardsOpen',
  'shardsWaiting',
  'lettersOpen',
];

/** Registers the gauges; `look` is asked at every collection. */
export function registerGauges(meter: Meter, look: () => Gauges | undefined): void {
  const gauges = new Map(NAMES.map(name => [name, meter.createObservableGauge(METRICS[name].name, METRICS[name])]));
  const gauge = (name: GaugeName): Observable => {
    const found = gauges.get(name);
    if (found === undefined) throw new Error(`no gauge ${name}`);
    return found;
  };
  meter.addBatchObservableCallback(
    result => {
      const seen = look();
      if (seen !== undefined) observe(result, gauge, seen);
    },
    [...gauges.values()],
  );
}

function observe(result: BatchObservableResult, gauge: (name: GaugeName) => Observable, seen: Gauges): void {
  result.observe(gauge('memory'), seen.memoryBytes);
  result.observe(gauge('leasesOwned'), seen.leasesOwned);
  for (const { pipeline, tables, sinks, checkpointAgeSeconds } of seen.pipelines) {
    const at = { 'tidemark.pipeline': pipeline };
    result.observe(gauge('checkpointAge'), checkpointAgeSeconds, at);
    result.observe(gauge('behind'), sinks.filter(sink => sink.behind).length, at);
    result.observe(gauge('halted'), sinks.filter(sink => sink.halted).length, at);
    for (const { table, iteratorAgeSeconds, shardsOpen, shardsWaiting } of tables) {
      const ofTable = tableAttributes({ pipeline, table });
      result.observe(gauge('iteratorAge'), iteratorAgeSeconds, ofTable);
      result.observe(gauge('shardsOpen'), shardsOpen, ofTable);
      result.observe(gauge('shardsWaiting'), shardsWaiting, ofTable);
    }
    for (const sink of sinks) observeSink(result, gauge, { pipeline, sink });
  }
}

function observeSink(
  result: BatchObservableResult,
  gauge: (name: GaugeName) => Observable,
  at: { pipeline: string; sink: Gauges['pipelines'][number]['sinks'][number] },
): void {
  const { sink } = at;
  const attributes = { 'tidemark.pipeline': at.pipeline, 'tidemark.sink.name': sink.sink, 'tidemark.sink.type': sink.type };
  result.observe(gauge('sinkLag'), sink.lagSeconds, attributes);
  result.observe(gauge('sinkOpen'), sink.open, attributes);
  result.observe(gauge('parked'), sink.keysParked, attributes);
  result.observe(gauge('lettersOpen'), sink.lettersOpen, attributes);
  if (sink.retentionLeftSeconds !== null) result.observe(gauge('retentionLeft'), sink.retentionLeftSeconds, attributes);
}
