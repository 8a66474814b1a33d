import { expect } from 'chai';
import { pushes, telemetry } from '../../../src/adapters/telemetry.ts';
import type { Gauges } from '../../../src/ports/observer.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';

const SINK = { pipeline: 'orders', table: 'orders', partition: 'shard-1', sink: 'eu', type: 'replica' };
const GAUGES: Gauges = {
  memoryBytes: 1234,
  leasesOwned: 2,
  pipelines: [
    {
      pipeline: 'orders',
      checkpointAgeSeconds: 0.5,
      tables: [{ table: 'orders', iteratorAgeSeconds: 3, shardsOpen: 1, shardsWaiting: 0 }],
      sinks: [
        {
          sink: 'eu',
          type: 'replica',
          lagSeconds: 3,
          retentionLeftSeconds: null,
          open: 7,
          behind: false,
          halted: false,
          keysParked: 0,
          lettersOpen: 0,
        },
      ],
    },
  ],
};

const start = (env: Record<string, string> = {}) =>
  telemetry({ clock: virtualClock(), env, version: '1.0.0', service: 'shop', worker: 'w-1' });

describe('adapters/telemetry', () => {
  it('names end in their unit once, counters in _total once', async () => {
    const { observer, metricsText, show, close } = start();
    show(() => GAUGES);
    observer.pageRead?.(SINK, { records: 10, bytes: 500, durationMs: 3 });
    observer.recordsFinished?.(SINK, 'written', 10);
    observer.batchWritten?.(SINK, { records: 10, bytes: 500, durationMs: 20, failed: 0 });
    observer.latencies?.(SINK, [1500]);
    observer.gapFound?.(SINK, ['eu'], { reason: 'trimmed', at: 0, note: '' });
    const text = await metricsText();
    expect(text).to.match(/^tidemark_source_size_bytes_total\{[^}]*\} 500$/m);
    expect(text).to.match(/^tidemark_source_records_total\{[^}]*\} 10$/m);
    expect(text).to.match(/^tidemark_sink_records_total\{[^}]*outcome="written"[^}]*\} 10$/m);
    expect(text).to.match(/^tidemark_replication_latency_seconds_bucket\{[^}]*le="2"[^}]*\} 1$/m);
    expect(text).to.match(/^tidemark_memory_usage_bytes(\{[^}]*\})? 1234$/m);
    expect(text).to.match(/^tidemark_sink_lag_seconds\{[^}]*tidemark_sink_name="eu"[^}]*\} 3$/m);
    expect(text).to.match(/^tidemark_gaps_total\{[^}]*reason="trimmed"[^}]*\} 1$/m);
    expect(text).to.not.match(/_bytes_bytes|_total_total|_seconds_seconds/);
    expect(text).to.not.contain('# UNIT');
    await close(100);
  });

  it('never carries a shard, key or sequence number as a label', async () => {
    const { observer, metricsText, show, close } = start();
    show(() => GAUGES);
    observer.pageRead?.(SINK, { records: 1, bytes: 5, durationMs: 3 });
    observer.batchWritten?.(SINK, { records: 1, bytes: 5, durationMs: 20, failed: 1, error: 'TimeoutError' });
    const text = await metricsText();
    expect(text).to.not.contain('shard-1');
    expect(text).to.contain('error_type="TimeoutError"');
    await close(100);
  });

  it('pushes nothing unless an OTEL_ endpoint or exporter is set', () => {
    expect(pushes({}, 'METRICS')).to.equal(false);
    expect(pushes({ OTEL_SERVICE_NAME: 'x' }, 'TRACES')).to.equal(false);
    expect(pushes({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, 'METRICS')).to.equal(true);
    expect(pushes({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_TRACES_EXPORTER: 'none' }, 'TRACES')).to.equal(false);
    expect(pushes({ OTEL_METRICS_EXPORTER: 'otlp' }, 'METRICS')).to.equal(true);
    expect(pushes({ OTEL_METRICS_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'true' }, 'METRICS')).to.equal(false);
  });
});
