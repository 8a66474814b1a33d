/**
 * A refusal or failure of an AWS service, named as the service names it. Adapters throw it; what it means is decided once, here.
 */
import type { EpochMs } from '../model/units.ts';

/** What a caller can do about it. */
export type FaultClass =
  | 'throttled' // slow down, again
  | 'expired' // credentials or signature too old, clock skewed: sign anew, again
  | 'network' // no answer, or half of one: outcome unknown, again
  | 'server' // 5xx: outcome unknown, again
  | 'denied' // no permission
  | 'missing' // table, stream, bucket not there
  | 'condition' // a condition did not hold
  | 'invalid' // the request is bad and will stay so
  | 'aborted'; // our own signal

export class ServiceFault extends Error {
  /** The service's error name without namespace, as `ConditionalCheckFailedException`; for no answer the system's code, as `ECONNRESET`. */
  override readonly name: string;
  readonly class: FaultClass;
  /** HTTP status, 0 when there was no answer. */
  readonly status: number;
  /** The answer's JSON: `Item` of a failed condition, `CancellationReasons`, `ThrottlingReasons`. */
  readonly answer: Readonly<Record<string, unknown>>;
  /** The server's date, when it sent one. */
  readonly servedAt: EpochMs | undefined;
  constructor(
    name: string,
    message: string,
    more: {
      class: FaultClass;
      status?: number;
      answer?: Readonly<Record<string, unknown>>;
      servedAt?: EpochMs | undefined;
      cause?: unknown;
    },
  ) {
    super(message, { cause: more.cause });
    this.name = name;
    this.class = more.class;
    this.status = more.status ?? 0;
    this.answer = more.answer ?? {};
    this.servedAt = more.servedAt;
  }
}
