/**
 * What a settled write means for each record: pure. A try is counted per record; when the lowest failed record of a key sends later ones back with
 * it, only it has used a try; when a whole batch fails, each has. The wait grows with the failures in a row of the key's lowest record, not with its
 * tries under batches that failed as a whole, with full jitter and a cap.
 */
import type { Disposition, Failed, Written } from '../connector.ts';
import type { EpochMs, Ms } from '../model/units.ts';
import type { DeliveryPlan } from './delivery-plan.ts';
import type { Entry } from './entry.ts';
import type { KeyQueue } from './key-queue.ts';

const FIRST_WAIT_MS = 100;

/** Full jitter: anywhere in [0, cap], the cap doubling with the failures in a row. `chance` is uniform in [0, 1). */
export function backoffMs(failuresInRow: number, capMs: Ms, chance: number): Ms {
  return chance * Math.min(capMs, FIRST_WAIT_MS * 2 ** Math.min(20, Math.max(0, failuresInRow - 1)));
}

/** Notes one more failure of a key whose lowest record is `ordinal`; how many in a row that makes. */
export function failedInRow(queue: KeyQueue, ordinal: number): number {
  queue.failures = queue.failing === ordinal ? queue.failures + 1 : 1;
  queue.failing = ordinal;
  return queue.failures;
}

export interface Verdict {
  readonly durable: readonly Entry[];
  /** To be written again, with what the target asked for as the least wait. */
  readonly back: readonly Entry[];
  readonly leastWaitMs: Ms;
  /** The sink has to halt: a record that was refused, retries or age used up, or the sink's own word. */
  readonly halt?: { readonly reason: string; readonly entry?: Entry };
}

/** Reads an answer against the batch. Later records of a failed key count as failed too, whatever the sink said of them. */
export function answered(written: readonly Entry[], answer: Written, plan: DeliveryPlan, now: EpochMs): Verdict {
  const failed = new Map<number, Failed>();
  for (const failure of answer.failed) {
    if (!Number.isInteger(failure.index) || failure.index < 0 || failure.index >= written.length) {
      return {
        durable: [],
        back: written,
        leastWaitMs: 0,
        halt: { reason: `the connector named record ${failure.index} of ${written.length}` },
      };
    }
    failed.set(failure.index, failure);
  }
  if (failed.size === 0) return { durable: written, back: [], leastWaitMs: 0 };
  return judged(written, failed, plan, now);
}

function judged(written: readonly Entry[], failed: ReadonlyMap<number, Failed>, plan: DeliveryPlan, now: EpochMs): Verdict {
  const durable: Entry[] = [];
  const back: Entry[] = [];
  const failedKeys = new Set<string>();
  let leastWaitMs = 0;
  let halt: Verdict['halt'];
  for (const [index, entry] of written.entries()) {
    const key = plan.order === 'partition' ? '' : entry.slot.record.key;
    const failure = failed.get(index);
    if (plan.order !== 'none' && failedKeys.has(key)) back.push(entry);
    else if (failure === undefined) durable.push(entry);
    else {
      failedKeys.add(key);
      back.push(entry);
      entry.tries += 1;
      leastWaitMs = Math.max(leastWaitMs, failure.retryAfterMs ?? 0);
      halt ??= haltOf(entry, failure.disposition, failure.reason, { plan, now });
    }
  }
  return { durable, back, leastWaitMs, ...(halt && { halt }) };
}

/** The whole batch failed: each record has used a try. */
export function failedWhole(
  written: readonly Entry[],
  fault: { disposition: Disposition; reason: string; retryAfterMs?: Ms | undefined },
  at: { plan: DeliveryPlan; now: EpochMs },
): Verdict {
  let halt: Verdict['halt'];
  for (const entry of written) {
    entry.tries += 1;
    halt ??= fault.disposition === 'retry' ? haltOf(entry, 'retry', fault.reason, at) : undefined;
  }
  if (fault.disposition === 'halt') halt = { reason: fault.reason };
  if (fault.disposition === 'reject') halt = { reason: fault.reason, ...(written[0] && { entry: written[0] }) };
  return { durable: [], back: written, leastWaitMs: fault.retryAfterMs ?? 0, ...(halt && { halt }) };
}

function haltOf(entry: Entry, disposition: Disposition, reason: string, at: { plan: DeliveryPlan; now: EpochMs }): Verdict['halt'] {
  if (disposition === 'halt') return { reason };
  if (disposition === 'reject') return { reason: `a record was refused: ${reason}`, entry };
  if (entry.tries > at.plan.maxRetries) return { reason: `maximumRetryAttempts (${at.plan.maxRetries}) used up: ${reason}`, entry };
  if (at.now - entry.slot.record.changedAt > at.plan.maxAgeMs) {
    return { reason: `maximumRecordAgeInSeconds (${at.plan.maxAgeMs / 1000}) passed: ${reason}`, entry };
  }
  return undefined;
}
