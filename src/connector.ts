/**
 * All that a connector author reads. A connector is a plug-in: a schema for its options, its traits, and `open`, which gives a sink. A sink writes
 * batches; the promise of `write` is the acknowledgement. Batching, order per key, retries, timeouts, metrics and dead letters wrap it: a connector
 * never sleeps, loops or retries.
 *
 * A connector is the default export of `connectors/<type>/index.ts`, or of an npm package that a settings file names as `type`.
 */
import { type ZodType, z } from 'zod';
import { ADDRESS, addressProblem, REGION, ROLE } from './model/aws-names.ts';
import type { ChangeRecord, ViewType } from './model/change-record.ts';
import type { Image } from './model/item.ts';
import type { Key } from './model/key.ts';
import type { Token } from './model/position.ts';
import type { EpochMs, Ms, SinkName } from './model/units.ts';
import type { Clock, Random } from './ports/clock.ts';
import type { KinesisApi } from './ports/kinesis-api.ts';
import type { Log } from './ports/log.ts';
import type { AwsOptions, TableApi } from './ports/table-api.ts';

/** What to do with a failed record. `retry`: again. `reject`: this record can never be written. `halt`: this sink cannot go on as it is configured. */
export type Disposition = 'retry' | 'reject' | 'halt';

export interface Traits {
  /** What the target must see in order. `none`: nothing; `key`: the changes of a key; `partition`: everything of a shard. */
  readonly order: 'partition' | 'key' | 'none';
  /** May a batch keep only the last record of a key. */
  readonly coalesce: 'latest-per-key' | 'never';
  /** At most one record of a key in a batch (a target that keeps no order inside a request). */
  readonly oncePerKey: boolean;
  /** What a batch never mixes, and has one batch in flight (Kafka: a topic-partition). */
  readonly group?: (record: ChangeRecord) => string;
  /** Batches in flight per partition; `parallelizationFactor` overrides it. */
  readonly inFlight: number;
  /** How a batch is cut: at most so many records and bytes, after at most so long. */
  readonly batch: { readonly records: number; readonly bytes: number; readonly waitMs: Ms };
  /** Of one write. Then its signal aborts; a second attempt never runs beside the first. */
  readonly timeoutMs: Ms;
}

export interface Batch {
  /** In order, at least one. */
  readonly records: readonly ChangeRecord[];
  /** Sum of the records' bytes on the wire. */
  readonly bytes: number;
  /**
   * Records changed before this time may have been written before, by another process or owner; later ones were not. 0: none may.
   * (Only a target that lets an old put overtake a newer delete needs it.)
   */
  readonly replayedBefore: EpochMs;
  /**
   * The W3C trace context to pass on with a record, for targets that have headers: what the item carries, else that of this write where it is traced
   * and sampled. Absent: nobody traces. It may differ between two attempts of one record.
   */
  readonly traceparent?: (record: ChangeRecord) => string | undefined;
}

export interface Failed {
  /** Of the record in the batch. */
  readonly index: number;
  readonly disposition: Disposition;
  /** One line for the operator; never a secret. */
  readonly reason: string;
  /** Not before this long, where the target said so. */
  readonly retryAfterMs?: Ms;
}

export interface Written {
  /** Every record that is not durable. A sink that fails a record fails every later record of its key in the batch too. */
  readonly failed: readonly Failed[];
  /** How many of the records that did not fail the target already had, or had something newer of. */
  readonly superseded?: number;
  /** The target holds everything up to this token, be that more or less than the batch; this says nothing of later records. */
  readonly through?: Token;
}

const SINK_FAULT: unique symbol = Symbol.for('tidemark.SinkFault');

/** What `write` throws when the whole batch failed and it knows what that means. Any other throw is a `retry`. */
export class SinkFault extends Error {
  /** A package of somebody else may bring its own copy of this file: its faults count as ours. */
  static override [Symbol.hasInstance](value: unknown): value is SinkFault {
    return typeof value === 'object' && value !== null && SINK_FAULT in value;
  }
  readonly [SINK_FAULT] = true;
  override readonly name = 'SinkFault';
  readonly disposition: Disposition;
  readonly retryAfterMs: Ms | undefined;
  /** `judged`: the target looked at the batch and found it bad without saying which record; only such a batch is bisected. */
  readonly judged: boolean;
  /** A missing permission or target: looked at again each 60 s, so that a grant that arrives heals it. */
  readonly heals: boolean;
  constructor(
    disposition: Disposition,
    message: string,
    more: { retryAfterMs?: Ms; judged?: boolean; heals?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.disposition = disposition;
    this.retryAfterMs = more.retryAfterMs;
    this.judged = more.judged ?? false;
    this.heals = more.heals ?? false;
  }
}

export interface Sink {
  /**
   * As `Traits.group`, where the groups are known only once the target is open. It takes precedence. The answer for a record may change while the
   * sink is open (Kafka: a topic got more partitions), so a batch cut under an older answer may hold records of two groups: `write` bears that.
   */
  readonly group?: (record: ChangeRecord) => string;
  /**
   * Writes a batch. What is not in `failed` is durable when the promise resolves. A throw: nothing is known of the whole batch (or a SinkFault says
   * it). After an abort it may settle only when this process can send no more of it: connection destroyed, the client's own retries off.
   */
  write(batch: Batch, signal: AbortSignal): Promise<Written>;
  /** Current items by key, in the order asked. Enables verify and repair. */
  lookup?(keys: readonly Key[], signal: AbortSignal): Promise<readonly (Image | undefined)[]>;
  /** Frees everything, connections too, within 5 s. Safe to call twice. */
  close(): Promise<void>;
}

/** What the house lends to a connector. */
export interface Host {
  readonly name: SinkName;
  /** Service and pipeline, as `shop/orders`: who writes. */
  readonly writer: string;
  /** The tables that this pipeline reads, in order. */
  readonly sources: readonly { readonly table: string; readonly region: string; readonly tableId: string }[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Aborts when the process stops. */
  readonly signal: AbortSignal;
  /** Clients behind ports; `fast` and `sdk` are twins. They share connections and are closed by the house. */
  table(options: AwsOptions): TableApi;
  kinesis(options: AwsOptions): KinesisApi;
  /** Says that something of note happened, for the counters: `conflict` (replica), `throttle`. */
  count(what: 'conflict' | 'throttle', n: number): void;
}

export interface Connector<Options> {
  /** A strict zod object of the connector's own options, every field described. `name`, `type` and the delivery options are not in it. */
  readonly schema: ZodType<Options>;
  traits(options: Options): Traits;
  /** Stream view types that carry what it writes. Absent or empty: any. The pipeline refuses to start on another one. */
  needs?(options: Options): readonly ViewType[];
  /** Tables of DynamoDB that it writes for a source table, each with the option that names it: the check of settings refuses the source itself. */
  tables?(options: Options, sourceTable: string): readonly TableNamed[];
  /** Once per process and sink, and again after a halt. A SinkFault with `halt` says what is missing. */
  open(options: Options, host: Host): Promise<Sink>;
}

export interface TableNamed extends AwsOptions {
  readonly table: string;
  readonly option: string;
}

const text = z.string().min(1);

/**
 * For a rule between options, as `.refine(rule, { ...always, error })`: it is told also where some other option is wrong, so that the user sees all
 * mistakes at once. The rule is then given what was written, of whatever type.
 */
export const always = { when: ({ value }: { readonly value: unknown }): boolean => typeof value === 'object' && value !== null };

/** A text with more to it than a pattern tells: `least` is for editors, `problem` says what is wrong with it. */
export function textThat(least: RegExp, problem: (text: string) => string | undefined) {
  const error = ({ input }: { readonly input?: unknown }) => problem(String(input)) ?? '';
  return z
    .string()
    .regex(least, { error, abort: true })
    .refine(given => problem(given) === undefined, { error });
}

/**
 * The options of an AWS client, for a connector's schema: `z.strictObject({ stream: …, ...awsFields })`. All are optional and fall back to the ordinary
 * AWS chain. A field whose value must never be shown says `.meta({ secret: true })`.
 */
export const awsFields = {
  region: z.string().regex(REGION.pattern, REGION.says).optional().meta({ description: 'AWS region. Default: the ordinary AWS chain.' }),
  endpoint: textThat(ADDRESS, addressProblem)
    .optional()
    .meta({ description: 'Address of the service, where it is not the ordinary one of the region.' }),
  credentials: z
    .strictObject({
      accessKeyId: text.meta({ description: 'Access key.' }),
      secretAccessKey: text.meta({ description: 'Its secret; best given by reference.', secret: true }),
      sessionToken: text.optional().meta({ description: 'Of temporary credentials.', secret: true }),
    })
    .optional()
    .meta({ description: 'Fixed credentials. Default: the ordinary AWS chain.' }),
  roleArn: z.string().regex(ROLE.pattern, ROLE.says).optional().meta({ description: 'Role to assume for this client.' }),
  externalId: text.optional().meta({ description: 'External id that the role asks for.' }),
};
