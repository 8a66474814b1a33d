import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { expect } from 'chai';
import { Spans, samplerOf } from '../../../src/adapters/telemetry-spans.ts';
import type { BatchWritten } from '../../../src/ports/observer.ts';
import { changeRecord } from '../../fakes/records.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';

const SINK = { pipeline: 'orders', table: 'orders', partition: 'shard-1', sink: 'eu', type: 'kafka' };
const DONE: BatchWritten = { records: 1, bytes: 5, durationMs: 20, failed: 0 };
const CARRIED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const page = (first: string, last: string) => ({ records: 2, bytes: 10, durationMs: 3, first, last });
const record = (token: string) => changeRecord({ token });

function start(sampler = samplerOf({})) {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  return { spans: new Spans(provider.getTracer('test'), virtualClock()), exporter };
}

describe('adapters/telemetry-spans', () => {
  it('a write is the child of the page of its first record, and links to the other pages and to what items carry', () => {
    const { spans, exporter } = start();
    spans.pageRead(SINK, page('100', '200'));
    spans.pageRead(SINK, page('201', '300'));
    const trace = spans.begin(SINK, { records: [record('150'), record('250'), record('260')], carried: () => CARRIED });
    spans.end(trace, { ...DONE, trace });
    const [first, second, write] = exporter.getFinishedSpans();
    expect(write?.parentSpanContext?.spanId).to.equal(first?.spanContext().spanId);
    expect(write?.spanContext().traceId).to.equal(first?.spanContext().traceId);
    expect(write?.links.map(({ context }) => context.spanId)).to.deep.equal([second?.spanContext().spanId, 'b7ad6b7169203331']);
    expect(write?.attributes).to.include({ 'messaging.operation.type': 'send', 'messaging.batch.message_count': 3 });
    expect(trace.traceparent).to.equal(`00-${write?.spanContext().traceId}-${write?.spanContext().spanId}-01`);
  });

  it('a record whose page is forgotten, and one of another shard, begin a trace of their own', () => {
    const { spans, exporter } = start();
    spans.pageRead({ ...SINK, partition: 'shard-2' }, page('100', '200'));
    spans.pageRead(SINK, { records: 0, bytes: 0, durationMs: 3, first: undefined, last: undefined });
    const trace = spans.begin(SINK, { records: [record('150')] });
    spans.end(trace, { ...DONE, trace, error: 'TimeoutError' });
    const write = exporter.getFinishedSpans().at(-1);
    expect(write?.parentSpanContext).to.equal(undefined);
    expect(write?.attributes['error.type']).to.equal('TimeoutError');
  });

  it('what is not sampled gives no context to pass on', () => {
    const { spans, exporter } = start(new AlwaysOffSampler());
    spans.pageRead(SINK, page('100', '200'));
    expect(spans.begin(SINK, { records: [record('150')] }).traceparent).to.equal(undefined);
    expect(exporter.getFinishedSpans()).to.have.length(0);
  });

  it('the ordinary variables choose the sampler', () => {
    expect(samplerOf({})).to.be.instanceOf(ParentBasedSampler);
    expect(samplerOf({ OTEL_TRACES_SAMPLER: 'always_on' })).to.be.instanceOf(AlwaysOnSampler);
    expect(samplerOf({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }).toString()).to.contain('AlwaysOff');
    expect(samplerOf({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' }).toString()).to.contain('0.25');
    expect(samplerOf({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: 'much' }).toString()).to.contain('{1}');
  });
});
