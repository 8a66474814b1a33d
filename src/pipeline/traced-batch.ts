/**
 * A write as something that can be traced: it is announced before it begins, and what its records carry of a trace is passed on with them. Where nobody
 * traces and no item carries a context this costs one call a batch.
 */
import type { Batch } from '../connector.ts';
import type { ChangeRecord } from '../model/change-record.ts';
import { carriedTraceparent } from '../model/trace-context.ts';
import type { BatchTrace, Observer, SinkLabels } from '../ports/observer.ts';

export interface TracedBatch {
  readonly batch: Batch;
  readonly trace: BatchTrace | undefined;
}

export interface Tracing {
  readonly labels: SinkLabels;
  readonly observer: Observer;
  /** The attribute in which items carry the context of the write that made them. */
  readonly traceContextAttribute?: string | undefined;
}

export function tracedBatch(batch: Batch, { labels, observer, traceContextAttribute: attribute }: Tracing): TracedBatch {
  const carried = attribute === undefined ? undefined : (record: ChangeRecord) => carriedTraceparent(record, attribute);
  const trace = observer.batchBegun?.(labels, { records: batch.records, carried });
  const own = trace?.traceparent;
  if (carried === undefined && own === undefined) return { batch, trace };
  return { batch: { ...batch, traceparent: record => carried?.(record) ?? own }, trace };
}
