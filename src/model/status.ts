/** What `/status`, the status page and `tidemark status` show: one shape, the contract's. Null: not known to whoever answers. */
import type { SinkName } from './units.ts';

/** Every record that a sink took, by what became of it. At every moment `read` is the sum of the others. */
export interface Counts {
  read: number;
  written: number;
  filtered: number;
  coalesced: number;
  superseded: number;
  duplicate: number;
  rejected: number;
  dropped: number;
  released: number;
  open: number;
}

/** Worst first. */
export const SINK_STATES = ['halted', 'paused', 'stalled', 'behind', 'snapshot', 'waiting', 'brisk', 'ended', 'stopped'] as const;
export type SinkState = (typeof SINK_STATES)[number];

export type Nullable<T> = { [K in keyof T]: T[K] | null };

export interface SinkStatus extends Nullable<Counts> {
  readonly name: SinkName;
  readonly type: string;
  readonly state: SinkState | null;
  readonly reason: string | null;
  readonly lagSeconds: number | null;
  readonly retentionLeftSeconds: number | null;
  readonly gaps: number | null;
  readonly letters: number | null;
  readonly parkedKeys: number | null;
}

export interface TableStatus {
  readonly name: string;
  readonly streamArn: string | null;
  readonly shards: { readonly open: number; readonly closed: number; readonly owned: number | null; readonly waiting: number | null };
}

export interface PipelineStatus {
  readonly name: string;
  /** Why the pipeline itself halts (a denied source, a table without a stream); absent while it runs. */
  readonly reason?: string;
  readonly tables: readonly TableStatus[];
  readonly sinks: readonly SinkStatus[];
}

export interface Status {
  readonly name: string;
  readonly worker: string | null;
  readonly ready: boolean | null;
  readonly notReady: readonly string[];
  readonly pipelines: readonly PipelineStatus[];
}
