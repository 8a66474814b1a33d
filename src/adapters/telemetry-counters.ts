/**
 * The counters, and their zeros: what may be counted later is there from the start, for an alert on an increase does not see the step from nothing to
 * one, and a dashboard cannot tell nothing from no answer.
 */
import type { Counter, Meter } from '@opentelemetry/api';
import type { GapReason } from '../model/page.ts';
import { COUNTS } from '../model/status.ts';
import { conflictAttributes, METRICS, sinkAttributes, tableAttributes } from './telemetry-names.ts';

export interface DeclaredPipeline {
  readonly pipeline: string;
  readonly table: string;
  readonly sinks: readonly { readonly sink: string; readonly type: string }[];
}

export type Counters = ReturnType<typeof countersOf>;

export function countersOf(meter: Meter) {
  const counter = (what: keyof typeof METRICS): Counter => meter.createCounter(METRICS[what].name, METRICS[what]);
  return {
    reads: counter('sourceReads'),
    records: counter('sourceRecords'),
    size: counter('sourceSize'),
    throttles: counter('sourceThrottles'),
    outcomes: counter('sinkRecords'),
    retries: counter('retries'),
    sinkThrottles: counter('sinkThrottles'),
    saves: counter('checkpointSaves'),
    moves: counter('leaseMoves'),
    gaps: counter('gaps'),
    conflicts: counter('conflicts'),
  };
}

const OUTCOMES = COUNTS.filter(count => count !== 'read' && count !== 'open');
/** Those that can come of themselves. */
const GAPS: readonly GapReason[] = ['trimmed', 'shard-gone', 'stream-replaced'];
const MOVES = ['free', 'own', 'expired', 'handed', 'refused', 'row-gone'];

export function beginAtZero(counters: Counters, declared: readonly DeclaredPipeline[]): void {
  for (const { pipeline, table, sinks } of declared) {
    const ofTable = tableAttributes({ pipeline, table });
    const { reads, records, size, throttles, saves, gaps, moves } = counters;
    for (const counter of [reads, records, size, throttles, saves]) counter.add(0, ofTable);
    for (const reason of GAPS) gaps.add(0, { ...ofTable, reason });
    for (const reason of MOVES) moves.add(0, { 'tidemark.pipeline': pipeline, reason });
    for (const sink of sinks) sinkAtZero(counters, { pipeline, table, ...sink });
  }
}

function sinkAtZero({ outcomes, retries, sinkThrottles, conflicts }: Counters, at: Parameters<typeof sinkAttributes>[0]): void {
  const ofSink = sinkAttributes(at);
  for (const outcome of OUTCOMES) outcomes.add(0, { ...ofSink, outcome });
  retries.add(0, ofSink);
  sinkThrottles.add(0, ofSink);
  if (at.type === 'replica') conflicts.add(0, conflictAttributes(at));
}
