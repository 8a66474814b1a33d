/**
 * Who is told what happened. The core announces events; names, units and labels of metrics and spans live in one adapter. Every method is optional,
 * is called per page or per batch and never per record, and must not throw.
 */
import type { ChangeRecord } from '../model/change-record.ts';
import type { Gap } from '../model/page.ts';
import type { Token } from '../model/position.ts';
import type { Counts } from '../model/status.ts';
import type { Ms, SinkName } from '../model/units.ts';

export interface PartitionLabels {
  readonly pipeline: string;
  readonly table: string;
  /** For spans and logs only, never a metric's label. */
  readonly partition: string;
}

export interface SinkLabels extends PartitionLabels {
  readonly sink: SinkName;
  readonly type: string;
}

export type Outcome = Exclude<keyof Counts, 'read' | 'open'>;

export interface PageRead {
  readonly records: number;
  readonly bytes: number;
  readonly durationMs: Ms;
  /** Of the first and the last record, where there are any. */
  readonly first?: Token | undefined;
  readonly last?: Token | undefined;
}

export interface BatchBegun {
  readonly records: readonly ChangeRecord[];
  readonly carried?: ((record: ChangeRecord) => string | undefined) | undefined;
}

/** A write that is being traced. */
export interface BatchTrace {
  /** W3C trace context of the write, if it is sampled: for whoever reads what was written. */
  readonly traceparent?: string;
}

export interface BatchWritten {
  readonly records: number;
  readonly bytes: number;
  readonly durationMs: Ms;
  readonly failed: number;
  readonly error?: string;
  readonly trace?: BatchTrace | undefined;
}

export interface Observer {
  /** One billed read of the source. */
  pageRead?(at: PartitionLabels, page: PageRead): void;
  sourceThrottled?(at: PartitionLabels): void;
  /** Records that left `open`, by what became of them. */
  recordsFinished?(at: SinkLabels, outcome: Outcome, records: number): void;
  /** A write begins; what is answered comes back with `batchWritten`. `carried`: the trace context that a record's item carries. */
  batchBegun?(at: SinkLabels, batch: BatchBegun): BatchTrace | undefined;
  /** One write. `error`: the name of what it threw. */
  batchWritten?(at: SinkLabels, batch: BatchWritten): void;
  /** Ages of the records of a batch when they became durable: change made -> durable. */
  latencies?(at: SinkLabels, agesMs: readonly Ms[]): void;
  retried?(at: SinkLabels, records: number): void;
  sinkThrottled?(at: SinkLabels): void;
  conflicts?(at: { readonly pipeline: string; readonly sink: SinkName; readonly type: string }, n: number): void;
  checkpointSaved?(at: PartitionLabels): void;
  gapFound?(at: PartitionLabels, sinks: readonly SinkName[], gap: Gap): void;
  leaseMoved?(pipeline: string, reason: string): void;
}

/** Numbers that are looked at when somebody asks, not announced. */
export interface Gauges {
  readonly memoryBytes: number;
  readonly leasesOwned: number;
  readonly pipelines: readonly {
    readonly pipeline: string;
    readonly tables: readonly {
      readonly table: string;
      readonly iteratorAgeSeconds: number;
      readonly shardsOpen: number;
      readonly shardsWaiting: number;
    }[];
    readonly checkpointAgeSeconds: number;
    readonly sinks: readonly {
      readonly sink: SinkName;
      readonly type: string;
      readonly lagSeconds: number;
      readonly retentionLeftSeconds: number | null;
      readonly open: number;
      readonly behind: boolean;
      readonly halted: boolean;
      readonly keysParked: number;
      readonly lettersOpen: number;
    }[];
  }[];
}
