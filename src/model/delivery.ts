/**
 * How records are delivered to one sink: the options that every sink has, named as Lambda's event source mapping names them, with what its connector
 * leaves to the user filled in. Settings make it, the pipeline obeys it.
 */
import type { Ms } from './units.ts';

export interface Delivery {
  /** Absent: the connector's own. */
  readonly batchSize?: number | undefined;
  readonly batchBytes?: number | undefined;
  readonly maximumBatchingWindowInSeconds?: number | undefined;
  readonly parallelizationFactor?: number | undefined;
  readonly windowBytes?: number | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly maximumBackoffSeconds: number;
  /** -1: for ever. */
  readonly maximumRetryAttempts: number;
  /** -1: no limit. */
  readonly maximumRecordAgeInSeconds: number;
  readonly bisectBatchOnFunctionError: boolean;
}

/** A write that has not settled so long after its abort halts its sink until it settles. */
export const ABORT_MS: Ms = 5_000;
