/**
 * How this sink is written to: the connector's traits with the user's delivery options over them, in the units that the pipeline works in.
 */
import type { Traits } from '../connector.ts';
import type { Delivery } from '../model/delivery.ts';
import type { Ms } from '../model/units.ts';

export interface DeliveryPlan {
  readonly order: Traits['order'];
  readonly coalesce: boolean;
  readonly oncePerKey: boolean;
  readonly inFlight: number;
  readonly batchRecords: number;
  readonly batchBytes: number;
  readonly waitMs: Ms;
  readonly timeoutMs: Ms;
  readonly windowBytes: number;
  readonly backoffCapMs: Ms;
  /** Infinity: for ever. */
  readonly maxRetries: number;
  readonly maxAgeMs: Ms;
  readonly bisect: boolean;
}

const WINDOW_BYTES = 8 * 1024 * 1024;

export function deliveryPlan(traits: Traits, delivery: Delivery, shareBytes: number): DeliveryPlan {
  const batchBytes = delivery.batchBytes ?? traits.batch.bytes;
  const window = delivery.windowBytes ?? Math.max(WINDOW_BYTES, 2 * batchBytes);
  return {
    order: traits.order,
    coalesce: traits.coalesce === 'latest-per-key',
    oncePerKey: traits.oncePerKey,
    inFlight: delivery.parallelizationFactor ?? traits.inFlight,
    batchRecords: delivery.batchSize ?? traits.batch.records,
    batchBytes,
    waitMs: delivery.maximumBatchingWindowInSeconds === undefined ? traits.batch.waitMs : delivery.maximumBatchingWindowInSeconds * 1000,
    timeoutMs: delivery.timeoutSeconds === undefined ? traits.timeoutMs : delivery.timeoutSeconds * 1000,
    windowBytes: Math.min(window, shareBytes),
    backoffCapMs: delivery.maximumBackoffSeconds * 1000,
    maxRetries: delivery.maximumRetryAttempts < 0 ? Number.POSITIVE_INFINITY : delivery.maximumRetryAttempts,
    maxAgeMs: delivery.maximumRecordAgeInSeconds < 0 ? Number.POSITIVE_INFINITY : delivery.maximumRecordAgeInSeconds * 1000,
    bisect: delivery.bisectBatchOnFunctionError,
  };
}
