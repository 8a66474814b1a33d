/**
 * The settings of a process, checked and with every default filled in: what `loadSettings` gives, deep-frozen. It may hold secrets in the clear; what
 * is shown of it goes through `print.ts`.
 */
import type { Connector } from '../connector.ts';
import type { Delivery } from '../model/delivery.ts';
import type { SinkName } from '../model/units.ts';

/** How an AWS client is opened; what is absent comes from the ordinary AWS chain. */
export interface AwsSettings {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly credentials?:
    | { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string | undefined }
    | undefined;
  readonly roleArn?: string | undefined;
  readonly externalId?: string | undefined;
}

export const LEASE_MODES = ['native', 'kcl-takeover'] as const;
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export const LOG_FORMATS = ['json', 'pretty', 'ecs'] as const;

export interface ProcessSettings {
  /** Names this replication service; workers with the same name share the work. */
  readonly name: string;
  readonly state: AwsSettings & { readonly leaseTable: string; readonly controlTable: string; readonly createTables: boolean };
  readonly leases: { readonly mode: (typeof LEASE_MODES)[number]; readonly durationSeconds: number; readonly renewSeconds: number };
  readonly admin: { readonly host: string; readonly port: number; readonly token?: string | undefined };
  readonly log: { readonly level: (typeof LOG_LEVELS)[number]; readonly format: (typeof LOG_FORMATS)[number] };
  readonly limits: {
    readonly memoryMiB: number;
    readonly drainSeconds: number;
    readonly processes: number | 'auto';
    readonly weight: number;
  };
}

export interface SourceSettings extends AwsSettings {
  readonly table: string;
  /** Where the stream has an endpoint of its own. */
  readonly streamsEndpoint?: string | undefined;
  readonly startingPosition: StartingPosition;
  readonly pollMilliseconds: number;
  readonly idleMilliseconds: number;
  readonly enableStream: boolean;
  readonly onGap: 'continue' | 'halt';
  readonly traceContextAttribute?: string | undefined;
}

export type StartingPosition = 'TRIM_HORIZON' | 'LATEST';

export interface SinkSettings {
  readonly name: SinkName;
  readonly type: string;
  readonly enabled: boolean;
  readonly renamedFrom?: SinkName | undefined;
  /** Absent: the source's at the pipeline's first start, else TRIM_HORIZON. */
  readonly startingPosition?: StartingPosition | undefined;
  readonly delivery: Delivery;
  readonly connector: Connector<unknown>;
  /** The connector's own options, as its schema gave them back. */
  readonly options: unknown;
}

export interface PipelineSettings {
  readonly name: string;
  readonly source: SourceSettings;
  readonly sinks: readonly SinkSettings[];
}

export interface Settings extends ProcessSettings {
  readonly pipelines: readonly PipelineSettings[];
}

/** What loading gives beside the settings themselves. */
export interface LoadedSettings {
  readonly settings: Settings;
  /** The settings as one may show them: secrets redacted, connectors left out. */
  readonly shown: unknown;
  /** What `${env:…}` and `${file:…}` and secret fields stood for: texts that must not reach any output. */
  readonly secrets: readonly string[];
  /** For the log. */
  readonly warnings: readonly string[];
}
