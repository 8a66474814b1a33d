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

  it('has every counter of what is declared from the start, as 0, and counts on from there', async () => {
    const declared = [{ pipeline: 'orders', table: 'orders', sinks: ['replica', 'kafka'].map((type, i) => ({ sink: `s${i}`, type })) }];
    const { observer, metricsText, close } = telemetry({
      clock: virtualClock(),
      env: {},
      version: '1',
      service: 'shop',
      worker: 'w',
      declared,
    });
    const lines = async () =>
      (await metricsText()).split('\n').filter(line => line !== '' && !line.startsWith('#') && !line.startsWith('target_info'));
    const before = await lines();
    expect(before.filter(line => !line.endsWith(' 0'))).to.deep.equal([]);
    const of = (name: string) => before.filter(line => line.startsWith(`tidemark_${name}_total{`)).length;
    const names = ['source_records', 'source_size_bytes', 'source_reads', 'source_throttles', 'checkpoint_saves'];
    expect(names.map(of)).to.deep.equal([1, 1, 1, 1, 1]);
    expect(['sink_records', 'sink_retries', 'sink_throttles', 'replica_conflicts', 'gaps', 'leases_moves'].map(of)).to.deep.equal([
      16, 2, 2, 1, 3, 6,
    ]);
    const at = { pipeline: 'orders', table: 'orders', partition: 'p', sink: 's0', type: 'replica' };
    observer.pageRead?.(at, { records: 10, bytes: 500, durationMs: 3 });
    observer.sourceThrottled?.(at);
    observer.recordsFinished?.(at, 'written', 10);
    observer.retried?.(at, 1);
    observer.sinkThrottled?.(at);
    observer.conflicts?.(at, 1);
    observer.checkpointSaved?.(at);
    observer.gapFound?.(at, ['s0'], { reason: 'trimmed', at: 0, note: '' });
    observer.leaseMoved?.('orders', 'free');
    const after = (await lines()).filter(line => !line.includes('_bucket'));
    expect(after.length).to.equal(before.length);
    expect(after.filter(line => !line.endsWith(' 0')).length).to.equal(11);
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
