/**
 * Spans: one per page that held records and one per write, so that the path of a record from read to durable can be followed. A write is the child of
 * the page that its first record came with, so a sampled page brings its writes along; it links to the other pages it holds records of, and to what its
 * items carry. Pages are found again by their tokens: nothing hangs on a record.
 */
import {
  type Attributes,
  type Context,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { AlwaysOffSampler, AlwaysOnSampler, ParentBasedSampler, type Sampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import { compareTokens, type Token } from '../model/position.ts';
import type { Clock } from '../ports/clock.ts';
import type { BatchBegun, BatchTrace, BatchWritten, PageRead, PartitionLabels, SinkLabels } from '../ports/observer.ts';
import { sinkAttributes } from './telemetry-names.ts';

/** Of a partition: what is held of pages that a write can still belong to. Older pages are seldom open: their writes begin a trace of their own. */
const PAGES = 32;
const PARTITIONS = 1_000;
const PAGE_LINKS = 16;
/** Fewer than the 128 that the SDK keeps of a span. */
const CARRIED_LINKS = 64;

const SYSTEMS: Readonly<Record<string, string>> = { kafka: 'kafka', kinesis: 'aws.kinesis', sqs: 'aws_sqs' };

interface TracedPage {
  readonly first: Token;
  readonly last: Token;
  readonly context: SpanContext;
}

class WriteTrace implements BatchTrace {
  readonly span: Span;
  declare readonly traceparent?: string;

  constructor(span: Span) {
    this.span = span;
    const { traceId, spanId, traceFlags } = span.spanContext();
    if ((traceFlags & TraceFlags.SAMPLED) !== 0) this.traceparent = `00-${traceId}-${spanId}-01`;
  }
}

export class Spans {
  readonly #tracer: Tracer;
  readonly #clock: Clock;
  readonly #pages = new Map<string, TracedPage[]>();

  constructor(tracer: Tracer, clock: Clock) {
    this.#tracer = tracer;
    this.#clock = clock;
  }

  pageRead(at: PartitionLabels, { records, durationMs, first, last }: PageRead): void {
    if (first === undefined || last === undefined) return;
    const attributes = {
      'messaging.system': 'aws.dynamodb_streams',
      'messaging.operation.name': 'GetRecords',
      'messaging.operation.type': 'receive',
      'messaging.destination.name': at.table,
      'messaging.destination.partition.id': at.partition,
      'messaging.batch.message_count': records,
      'tidemark.pipeline': at.pipeline,
    };
    const now = this.#clock.now();
    const span = this.#tracer.startSpan(
      `receive ${at.table}`,
      { kind: SpanKind.CLIENT, startTime: now - durationMs, attributes },
      ROOT_CONTEXT,
    );
    span.end(now);
    this.#keep(partitionOf(at), { first, last, context: span.spanContext() });
  }

  begin(at: SinkLabels, { records, carried }: BatchBegun): BatchTrace {
    const system = SYSTEMS[at.type];
    const attributes: Attributes = {
      ...sinkAttributes(at),
      'messaging.destination.partition.id': at.partition,
      ...(system !== undefined && {
        'messaging.system': system,
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.batch.message_count': records.length,
      }),
      ...(at.type === 'replica' && { 'db.system.name': 'aws.dynamodb', 'db.operation.batch.size': records.length }),
    };
    const [parent, ...others] = this.#pagesOf(at, records);
    const links = others.slice(0, PAGE_LINKS).map(context => ({ context }));
    const options = {
      kind: SpanKind.CLIENT,
      startTime: this.#clock.now(),
      attributes,
      links: links.concat(carriedLinks(records, carried)),
    };
    return new WriteTrace(this.#tracer.startSpan(`send ${at.sink}`, options, contextOf(parent)));
  }

  end(batchTrace: BatchTrace | undefined, { error }: BatchWritten): void {
    if (!(batchTrace instanceof WriteTrace)) return;
    const { span } = batchTrace;
    if (error !== undefined) span.setAttribute('error.type', error).setStatus({ code: SpanStatusCode.ERROR });
    span.end(this.#clock.now());
  }

  #keep(partition: string, page: TracedPage): void {
    const pages = this.#pages.get(partition) ?? [];
    // Taken out and put back: the partition that was read longest ago is the one that is forgotten.
    this.#pages.delete(partition);
    this.#pages.set(partition, pages);
    pages.push(page);
    if (pages.length > PAGES) pages.shift();
    if (this.#pages.size <= PARTITIONS) return;
    for (const oldest of this.#pages.keys()) {
      this.#pages.delete(oldest);
      return;
    }
  }

  /** The pages that the records came with, that of the first record first. A page that was read twice is found as it was read last. */
  #pagesOf(at: PartitionLabels, records: BatchBegun['records']): readonly SpanContext[] {
    const pages = this.#pages.get(partitionOf(at)) ?? [];
    const found = new Set<SpanContext>();
    for (const { token } of records) {
      const page = pages.findLast(({ first, last }) => compareTokens(first, token) <= 0 && compareTokens(token, last) <= 0);
      if (page !== undefined) found.add(page.context);
    }
    return [...found];
  }
}

const partitionOf = ({ pipeline, table, partition }: PartitionLabels): string => `${pipeline} ${table} ${partition}`;

function contextOf(parent: SpanContext | undefined): Context {
  return parent === undefined || !isSpanContextValid(parent) ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
}

function carriedLinks(records: BatchBegun['records'], carried: BatchBegun['carried']): Link[] {
  if (carried === undefined) return [];
  const texts = new Set(records.map(carried).filter(text => text !== undefined));
  return [...texts].slice(0, CARRIED_LINKS).map(text => {
    const [, traceId = '', spanId = '', flags = '00'] = text.split('-');
    return { context: { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true } };
  });
}

/** By `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`, which this SDK does not read itself. Anything else: the specification's default. */
export function samplerOf(env: Readonly<Record<string, string | undefined>>): Sampler {
  const name = env['OTEL_TRACES_SAMPLER']?.trim() ?? '';
  const root = rootSampler(name.replace(/^parentbased_/, ''), env['OTEL_TRACES_SAMPLER_ARG']);
  return name !== '' && !name.startsWith('parentbased_') ? root : new ParentBasedSampler({ root });
}

function rootSampler(name: string, argument: string | undefined): Sampler {
  if (name === 'always_off') return new AlwaysOffSampler();
  if (name !== 'traceidratio') return new AlwaysOnSampler();
  const ratio = Number(argument || 1);
  return new TraceIdRatioBasedSampler(ratio >= 0 && ratio <= 1 ? ratio : 1);
}
