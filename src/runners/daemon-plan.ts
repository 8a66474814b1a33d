/** What the daemon is to do: settings, checked and filled in, without files, secrets or clients. Wiring makes it, the daemon obeys it. */
import type { Connector } from '../connector.ts';
import type { Delivery } from '../model/delivery.ts';
import type { Ms, SinkName } from '../model/units.ts';
import type { StartingPosition } from '../ports/control-store.ts';

export interface SinkPlan {
  readonly name: SinkName;
  readonly type: string;
  readonly enabled: boolean;
  /** Its former name, under which its positions are found. */
  readonly renamedFrom?: SinkName | undefined;
  /** Absent: the source's at the pipeline's first start, else TRIM_HORIZON. */
  readonly startingPosition?: StartingPosition | undefined;
  /** The connector's own options, as its schema gave them back. */
  readonly options: unknown;
  readonly delivery: Delivery;
  readonly connector: Connector<unknown>;
}

export interface SourcePlan {
  readonly table: string;
  readonly region: string;
  /** Of sinks that are there at the pipeline's first start. */
  readonly startingPosition: StartingPosition;
  /** Wait after a page that was not full; how far it backs off while nothing comes. */
  readonly pollMs: Ms;
  readonly idleMs: Ms;
  /** `halt`: the sinks that lost something halt, with the gap as the reason. */
  readonly onGap: 'continue' | 'halt';
  /** Switch a stream on (NEW_AND_OLD_IMAGES) where the table has none. */
  readonly enableStream: boolean;
  /** The attribute in which items carry the trace context of the write that made them. */
  readonly traceContextAttribute?: string | undefined;
}

export interface PipelinePlan {
  readonly name: string;
  readonly source: SourcePlan;
  readonly sinks: readonly SinkPlan[];
}

export interface DaemonPlan {
  /** Of the service. */
  readonly name: string;
  /** Of this incarnation of this process: never used again. */
  readonly worker: string;
  readonly leases: { readonly durationMs: Ms; readonly renewMs: Ms };
  readonly limits: {
    readonly memoryBytes: number;
    readonly drainMs: Ms /** Its share of the shards; 1 where absent. */;
    readonly weight?: number;
  };
  readonly pipelines: readonly PipelinePlan[];
}
