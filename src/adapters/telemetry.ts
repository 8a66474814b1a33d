/**
 * Telemetry: the one place where what the core announces becomes OpenTelemetry metrics and spans. Metrics are always there to be asked for
 * (`/metrics`); they and spans are pushed only when an `OTEL_*` endpoint or exporter is set, by the ordinary variables, and never otherwise.
 */
import type { Attributes, Meter } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, type MetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { Gauges, Observer } from '../ports/observer.ts';
import { prometheusText } from './prometheus-text.ts';
import { beginAtZero, countersOf, type DeclaredPipeline } from './telemetry-counters.ts';
import { registerGauges } from './telemetry-gauges.ts';
import {
  conflictAttributes,
  DURATION_BUCKETS,
  LATENCY_BUCKETS,
  METRICS,
  RECORDS_BUCKETS,
  sinkAttributes,
  tableAttributes,
} from './telemetry-names.ts';
import { Spans, samplerOf } from './telemetry-spans.ts';

export interface Telemetry {
  readonly observer: Observer;
  /** Prometheus' text of everything known now. */
  metricsText(): Promise<string>;
  /** What the gauges show from now on. */
  show(look: () => Gauges): void;
  /** Pushes what is left, within `timeoutMs`. Never throws. */
  close(timeoutMs: Ms): Promise<void>;
}

export interface TelemetryParts {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly service: string;
  readonly worker: string;
  /** Of these every counter is there from the start, as 0. */
  readonly declared?: readonly DeclaredPipeline[];
}

export function telemetry(parts: TelemetryParts): Telemetry {
  const { env } = parts;
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'tidemark', 'service.namespace': parts.service, 'service.version': parts.version }))
    .merge(resourceFromAttributes({ 'service.instance.id': parts.worker }))
    .merge(detectResources({ detectors: [envDetector] }));
  const pull = new PrometheusExporter({ preventServerStart: true });
  const readers: MetricReader[] = [pull];
  if (pushes(env, 'METRICS')) readers.push(new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), ...interval(env) }));
  const meters = new MeterProvider({ resource, readers });
  const traces = pushes(env, 'TRACES')
    ? new TracerProvider({
        resource,
        sampler: samplerOf(env),
        spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
      })
    : undefined;
  const meter = meters.getMeter('tidemark', parts.version);
  let look: (() => Gauges) | undefined;
  registerGauges(meter, () => look?.());
  return {
    observer: observerOf(meter, traces && new Spans(traces.getTracer('tidemark', parts.version), parts.clock), parts.declared ?? []),
    async metricsText() {
      const { resourceMetrics } = await pull.collect();
      return prometheusText(resourceMetrics);
    },
    show(gauges) {
      look = gauges;
    },
    async close(timeoutMs) {
      const flushed = Promise.allSettled([meters.shutdown({ timeoutMillis: timeoutMs }), traces?.shutdown()]);
      await Promise.race([flushed, parts.clock.sleep(timeoutMs, new AbortController().signal)]);
    },
  };
}

/** Whether the ordinary variables ask for a push of this signal. */
export function pushes(env: TelemetryParts['env'], signal: 'METRICS' | 'TRACES'): boolean {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false;
  const exporter = env[`OTEL_${signal}_EXPORTER`]?.trim();
  if (exporter) return exporter.split(',').some(name => name.trim() === 'otlp');
  return Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] || env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]);
}

function interval(env: TelemetryParts['env']): { exportIntervalMillis?: Ms; exportTimeoutMillis?: Ms } {
  const everyMs = Number(env['OTEL_METRIC_EXPORT_INTERVAL']);
  if (!Number.isFinite(everyMs) || everyMs <= 0) return {};
  return { exportIntervalMillis: everyMs, exportTimeoutMillis: Math.min(everyMs, 30_000) };
}

function observerOf(meter: Meter, spans: Spans | undefined, declared: readonly DeclaredPipeline[]): Observer {
  const histogram = (what: keyof typeof METRICS, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(METRICS[what].name, { ...METRICS[what], advice: { explicitBucketBoundaries } });
  const counters = countersOf(meter);
  const { reads, records, size, throttles, outcomes, retries, sinkThrottles, saves, moves, gaps, conflicts } = counters;
  const latency = histogram('latency', LATENCY_BUCKETS);
  const duration = histogram('batchDuration', DURATION_BUCKETS);
  const batchRecords = histogram('batchRecords', RECORDS_BUCKETS);
  const ofTable = remembered(tableAttributes, at => `${at.pipeline} ${at.table}`);
  const ofSink = remembered(sinkAttributes, at => `${at.pipeline} ${at.table} ${at.sink}`);
  beginAtZero(counters, declared);
  return {
    pageRead(at, page) {
      const attributes = ofTable(at);
      reads.add(1, attributes);
      records.add(page.records, attributes);
      size.add(page.bytes, attributes);
      spans?.pageRead(at, page);
    },
    sourceThrottled: at => throttles.add(1, ofTable(at)),
    recordsFinished: (at, outcome, n) => outcomes.add(n, { ...ofSink(at), outcome }),
    batchBegun: (at, batch) => spans?.begin(at, batch),
    batchWritten(at, batch) {
      const attributes = batch.error === undefined ? ofSink(at) : { ...ofSink(at), 'error.type': batch.error };
      duration.record(batch.durationMs / 1000, attributes);
      batchRecords.record(batch.records, ofSink(at));
      spans?.end(batch.trace, batch);
    },
    latencies(at, agesMs) {
      const attributes = ofSink(at);
      for (const age of agesMs) latency.record(age / 1000, attributes);
    },
    retried: (at, n) => retries.add(n, ofSink(at)),
    sinkThrottled: at => sinkThrottles.add(1, ofSink(at)),
    conflicts: (at, n) => conflicts.add(n, conflictAttributes(at)),
    checkpointSaved: at => saves.add(1, ofTable(at)),
    gapFound: (at, _sinks, gap) => gaps.add(1, { ...ofTable(at), reason: gap.reason }),
    leaseMoved: (pipeline, reason) => moves.add(1, { 'tidemark.pipeline': pipeline, reason }),
  };
}

/** Attribute sets are made once per label set, not per batch. */
function remembered<T>(make: (at: T) => Attributes, keyOf: (at: T) => string): (at: T) => Attributes {
  const known = new Map<string, Attributes>();
  return at => {
    const key = keyOf(at);
    let attributes = known.get(key);
    if (attributes === undefined) {
      attributes = make(at);
      known.set(key, attributes);
    }
    return attributes;
  };
}
