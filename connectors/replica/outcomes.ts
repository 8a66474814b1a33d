/**
 * What became of one write, and what a refusal of the service means for it.
 */
import { type Disposition, SinkFault } from '../../src/connector.ts';
import type { Item } from '../../src/model/item.ts';
import { withoutStop } from '../../src/model/sentence.ts';
import type { Ms } from '../../src/model/units.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import { ITEM_LIMIT_BYTES, itemBytes } from '../../src/replication/image.ts';

export type Outcome =
  | { readonly is: 'written' }
  /** The replica had this or something newer. `conflict`: something newer that did not come from us. */
  | { readonly is: 'superseded'; readonly conflict: boolean }
  | { readonly is: 'failed'; readonly disposition: Exclude<Disposition, 'halt'>; readonly reason: string; readonly throttled?: true }
  /** Nothing of the kind can be written until somebody mends it. */
  | { readonly is: 'halted'; readonly fault: SinkFault };

export const WRITTEN: Outcome = { is: 'written' };
export const SUPERSEDED: Outcome = { is: 'superseded', conflict: false };

/** Where the service's answer to a table that is not ready yet is looked at again. */
export const NOT_READY_MS: Ms = 1_000;

export interface Attempted {
  /** As IAM names it, as `PutItem`. */
  readonly action: string;
  readonly table: string;
}

export function outcomeOf(error: unknown, attempted: Attempted): Outcome {
  if (error instanceof SinkFault) return { is: 'halted', fault: error };
  const what = `dynamodb:${attempted.action} on table ${attempted.table}`;
  if (!(error instanceof ServiceFault)) return retry(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  switch (error.class) {
    case 'denied':
    case 'missing':
      return { is: 'halted', fault: haltOf(error, attempted) };
    case 'invalid':
      return { is: 'failed', disposition: 'reject', reason: `${what} was refused: ${error.name}: ${error.message}` };
    case 'throttled':
      return { ...retry(`${what} was throttled: ${error.name}`), throttled: true };
    default:
      return retry(`${what}: ${error.name}: ${error.message}`);
  }
}

/** Of a put, where an item that is too large is told by its size. */
export function outcomeOfPut(error: unknown, item: Item, attempted: Attempted): Outcome {
  if (error instanceof ServiceFault && error.class === 'invalid') {
    const bytes = itemBytes(item);
    if (bytes > ITEM_LIMIT_BYTES || /item size/i.test(error.message)) {
      return {
        is: 'failed',
        disposition: 'reject',
        reason: `the item has ${bytes} bytes as it would be written, DynamoDB takes ${ITEM_LIMIT_BYTES}`,
      };
    }
  }
  return outcomeOf(error, attempted);
}

/** A permission or a table that is missing; it is looked at again, so that the mend heals it. */
export function haltOf(error: ServiceFault, { action, table }: Attempted): SinkFault {
  const message =
    error.class === 'denied'
      ? `dynamodb:${action} on table ${table} is denied: ${error.name}: ${withoutStop(error.message)}. Grant the action to this service's role`
      : `table ${table} is missing (dynamodb:${action} said ${error.name}). Create it, or name another`;
  return new SinkFault('halt', message, { heals: true, cause: error });
}

function retry(reason: string): Outcome & { readonly is: 'failed' } {
  return { is: 'failed', disposition: 'retry', reason };
}
