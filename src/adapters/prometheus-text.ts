/**
 * The text of `/metrics`: OpenTelemetry's serialiser, with the unit put into the name as the Collector does it, so that dashboards match both ways.
 * A unit's suffix is added only where the name does not end in it, `{…}` units give none, and counters end in `_total` once.
 * Lines that name a unit are OpenMetrics' own and would have to repeat the suffix: this format has none.
 */
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import type { MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics';

const SUFFIXES: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes', '1': 'ratio' };

export function prometheusText(collected: ResourceMetrics): string {
  const scopeMetrics = collected.scopeMetrics.map(scope => ({ ...scope, metrics: scope.metrics.map(withUnit) }));
  const text = new PrometheusSerializer(undefined, false, undefined, true, true).serialize({ ...collected, scopeMetrics });
  return text.replaceAll(/^# UNIT .*\n/gm, '');
}

function withUnit(metric: MetricData): MetricData {
  const suffix = SUFFIXES[metric.descriptor.unit];
  const words = metric.descriptor.name.split(/[._]/);
  if (suffix === undefined || words.at(-1) === suffix) return metric;
  return { ...metric, descriptor: { ...metric.descriptor, name: `${metric.descriptor.name}.${suffix}` } };
}
