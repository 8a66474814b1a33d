/** What the daemon needs of the world, as ports: wiring fills it in. */
import type { Clock, Random } from '../ports/clock.ts';
import type { ControlStore } from '../ports/control-store.ts';
import type { KclTable } from '../ports/kcl-table.ts';
import type { KinesisApi } from '../ports/kinesis-api.ts';
import type { LeaseStore } from '../ports/lease-store.ts';
import type { Log } from '../ports/log.ts';
import type { Observer } from '../ports/observer.ts';
import type { StreamApi } from '../ports/stream-api.ts';
import type { AwsOptions, TableApi } from '../ports/table-api.ts';

/** The clients of one pipeline's source; a stream may have an endpoint of its own. */
export interface SourceApis {
  readonly tables: TableApi;
  readonly streams: StreamApi;
}

export interface DaemonParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly observer: Observer;
  readonly leases: LeaseStore;
  readonly control: ControlStore;
  /** In mode kcl-takeover: the lease table as it was left. */
  readonly kcl?: KclTable | undefined;
  /** By the pipeline's name. */
  source(pipeline: string): SourceApis;
  /** Lent to connectors. */
  table(options: AwsOptions): TableApi;
  kinesis(options: AwsOptions): KinesisApi;
}

/** No pipeline can run as it is set up; each line says why. Main ends with 78. */
export class NothingCanRun extends Error {
  override readonly name = 'NothingCanRun';
  readonly reasons: readonly string[];
  constructor(reasons: readonly string[]) {
    super(`no pipeline can run: ${reasons.join('; ')}`);
    this.reasons = reasons;
  }
}

/** Some write would not settle at the end, so its lease was left to expire; or one of a lost lease did not for too long. Main ends with 1. */
export class Unsettled extends Error {
  override readonly name = 'Unsettled';
}
