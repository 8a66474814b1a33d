/** What `/status`, the status page and `tidemark status` show: one shape, the contract's. Null: not known to whoever answers. */
import type { SinkName } from './units.ts';

/** Every record that a sink took, by what became of it. At every moment `read` is the sum of the others. */
export const COUNTS = [
  'read',
  'written',
  'filtered',
  'coalesced',
  'superseded',
  'duplicate',
  'rejected',
  'dropped',
  'released',
  'open',
] as const;
type Each<T> = { [K in (typeof COUNTS)[number]]: T };
export type Counts = Each<number>;

export function eachCount<T>(of: (count: keyof Counts) => T): Each<T> {
  return Object.fromEntries(COUNTS.map(count => [count, of(count)])) as Each<T>;
}

export const UNKNOWN_COUNTS: Readonly<Each<null>> = eachCount(() => null);

/** Worst first. */
export const SINK_STATES = ['halted', 'paused', 'stalled', 'behind', 'snapshot', 'waiting', 'brisk', 'ended', 'stopped'] as const;
export type SinkState = (typeof SINK_STATES)[number];

export interface SinkStatus extends Each<number | null> {
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

/** One of several worker processes on a host, where one of them answers for all. */
export interface ProcessStatus {
  /** From 1 on, as in the log. */
  readonly process: number;
  /** The system's number of it; null while it does not run. */
  readonly pid: number | null;
  /** Null while it starts, or does not answer. */
  readonly worker: string | null;
  readonly ready: boolean;
  readonly shardsOwned: number | null;
}

export interface Status {
  readonly name: string;
  readonly worker: string | null;
  readonly ready: boolean | null;
  readonly notReady: readonly string[];
  /** With `limits.processes` other than 1: what everything else here is the sum of. */
  readonly processes?: readonly ProcessStatus[];
  readonly pipelines: readonly PipelineStatus[];
}
