/**
 * The process settings, for convict: everything that is not a pipeline. One entry says type, default, environment variable and meaning of a setting;
 * validation, the JSON Schema and the reference are made of it.
 */
import type { FormatName } from './formats.ts';
import { LEASE_MODES, LOG_FORMATS, LOG_LEVELS } from './settings.ts';

export interface ProcessOption {
  readonly doc: string;
  readonly format: FormatName | readonly string[];
  /** Null with `nullable`: may be absent. Null without: required. */
  readonly default: string | number | boolean | null;
  readonly nullable?: true;
  readonly env: string;
  readonly sensitive?: true;
  readonly min?: number;
  readonly max?: number;
  /** Said of any other value, where the contract knows values that this build does not have. */
  readonly refusal?: string;
}

export interface ProcessSection {
  readonly [name: string]: ProcessOption | ProcessSection;
}

const text = { format: 'tm-text', default: null, nullable: true } as const;

export const PROCESS_SCHEMA = {
  name: {
    doc: 'Names this replication service; prefix of its state tables. Workers with the same name share the work.',
    format: 'tm-name',
    default: null,
    env: 'TIDEMARK_NAME',
  },
  state: {
    region: {
      ...text,
      format: 'tm-region',
      doc: 'Region of the state tables. Default: the ordinary AWS chain.',
      env: 'TIDEMARK_STATE_REGION',
    },
    endpoint: {
      doc: 'Address of DynamoDB for the state tables, where it is not the ordinary one.',
      format: 'tm-address',
      default: null,
      nullable: true,
      env: 'TIDEMARK_STATE_ENDPOINT',
    },
    credentials: {
      accessKeyId: {
        ...text,
        doc: 'Access key for the state tables. Default: the ordinary AWS chain.',
        env: 'TIDEMARK_STATE_CREDENTIALS_ACCESS_KEY_ID',
      },
      secretAccessKey: {
        ...text,
        doc: 'Its secret; best given by reference.',
        env: 'TIDEMARK_STATE_CREDENTIALS_SECRET_ACCESS_KEY',
        sensitive: true,
      },
      sessionToken: { ...text, doc: 'Of temporary credentials.', env: 'TIDEMARK_STATE_CREDENTIALS_SESSION_TOKEN', sensitive: true },
    },
    roleArn: { ...text, format: 'tm-role', doc: 'Role to assume for the state tables.', env: 'TIDEMARK_STATE_ROLE_ARN' },
    externalId: { ...text, doc: 'External id that the role asks for.', env: 'TIDEMARK_STATE_EXTERNAL_ID' },
    leaseTable: {
      ...text,
      format: 'tm-table',
      doc: "Table of leases and checkpoints, with the Kinesis Client Library's attributes. Default: `<name>-leases`; in mode kcl-takeover it has none: it is the application's name.",
      env: 'TIDEMARK_STATE_LEASE_TABLE',
    },
    controlTable: {
      ...text,
      format: 'tm-table',
      doc: 'Table of requests, starting positions and gaps. Default: `<name>-control`.',
      env: 'TIDEMARK_STATE_CONTROL_TABLE',
    },
    createTables: { doc: 'Make state tables that are not there.', format: 'tm-switch', default: true, env: 'TIDEMARK_STATE_CREATE_TABLES' },
  },
  leases: {
    mode: {
      doc: 'native; or kcl-takeover: `state.leaseTable` is the lease table of an application of the Kinesis Client Library (1.x to 3.x, with the DynamoDB Streams adapter) whose workers have all been stopped. Sinks start after its checkpoints, and it can take the table back.',
      format: LEASE_MODES,
      default: 'native',
      env: 'TIDEMARK_LEASES_MODE',
    },
    durationSeconds: {
      doc: "A lease whose counter has not moved for so long may be taken. In mode kcl-takeover at least the application's failoverTimeMillis.",
      format: 'tm-amount',
      default: 10,
      min: 0.1,
      max: 3600,
      env: 'TIDEMARK_LEASES_DURATION_SECONDS',
    },
    renewSeconds: {
      doc: 'Leases are renewed this often; at most half of durationSeconds.',
      format: 'tm-amount',
      default: 3,
      min: 0.05,
      max: 1800,
      env: 'TIDEMARK_LEASES_RENEW_SECONDS',
    },
  },
  admin: {
    host: {
      doc: 'Address that health, metrics and status are served on. 0.0.0.0: every interface.',
      format: 'tm-host',
      default: '127.0.0.1',
      env: 'TIDEMARK_ADMIN_HOST',
    },
    port: { doc: 'Its port; 0: any free one, logged.', format: 'tm-whole', default: 9464, min: 0, max: 65_535, env: 'TIDEMARK_ADMIN_PORT' },
    token: {
      ...text,
      doc: 'Bearer token that pause, resume and item payloads ask for. Without one they are refused.',
      env: 'TIDEMARK_ADMIN_TOKEN',
      sensitive: true,
    },
  },
  log: {
    level: { doc: 'Least level that is logged.', format: LOG_LEVELS, default: 'info', env: 'TIDEMARK_LOG_LEVEL' },
    format: { doc: 'json; pretty, for a person; ecs, for Elastic.', format: LOG_FORMATS, default: 'json', env: 'TIDEMARK_LOG_FORMAT' },
  },
  limits: {
    memoryMiB: {
      doc: 'Wire bytes of records held, for the whole process, in MiB. Resident memory is some times as much.',
      format: 'tm-whole',
      default: 256,
      min: 1,
      max: 1_048_576,
      env: 'TIDEMARK_LIMITS_MEMORY_MIB',
    },
    drainSeconds: {
      doc: 'How long a stop waits for what was begun.',
      format: 'tm-amount',
      default: 20,
      min: 0,
      max: 3600,
      env: 'TIDEMARK_LIMITS_DRAIN_SECONDS',
    },
    processes: {
      doc: 'Worker processes that `run` starts on this host, each with `memoryMiB` and `weight` of its own; auto: one per core. The admin port answers for all.',
      format: 'tm-processes',
      default: 1,
      min: 1,
      max: 256,
      env: 'TIDEMARK_LIMITS_PROCESSES',
    },
    weight: {
      doc: "This worker's share of shards, beside the weights of the others.",
      format: 'tm-whole',
      default: 1,
      min: 1,
      max: 1000,
      env: 'TIDEMARK_LIMITS_WEIGHT',
    },
  },
} satisfies ProcessSection;

export function isOption(entry: ProcessOption | ProcessSection): entry is ProcessOption {
  return typeof entry['doc'] === 'string';
}

/** Every option by its dotted path. */
export function processOptions(section: ProcessSection = PROCESS_SCHEMA, prefix = ''): ReadonlyMap<string, ProcessOption> {
  return new Map(
    Object.entries(section).flatMap(([name, entry]) =>
      isOption(entry) ? [[prefix + name, entry] as const] : [...processOptions(entry, `${prefix}${name}.`)],
    ),
  );
}
