/**
 * How the fake streams behave: as the service does, unless a test says otherwise; and how a single call may fail.
 */
import type { Ms } from '../../src/model/units.ts';
import type { ServiceFault } from '../../src/ports/service-fault.ts';
import type { IteratorPlace } from '../../src/ports/stream-api.ts';

export interface StreamRules {
  retentionMs: Ms;
  iteratorLifeMs: Ms;
  pageRecords: number;
  pageBytes: number;
  latencyMs: Ms;
  /** How long changes of the graph take until a listing, or the children filter, shows them. */
  listingDelayMs: Ms;
  childrenDelayMs: Ms;
  childFilter: 'served' | 'unsupported';
  describesPerSecond: number;
  /** Of a shard, beside each other. */
  readers: number;
  /** Where a trimmed number is refused. */
  trimRefusedAt: 'iterator' | 'read';
  /** A number that the shard never had: as the adapter tells it of the service, a 500, or as a server that reads from the start. */
  unknownNumber: 'trimmed' | 'fails' | 'from-start';
  /** What an open shard gives when it has been read up to its newest record. */
  nextOnOpen: 'given' | 'absent' | 'empty-text';
  /** A closed shard's last records come with a next iterator, and the end comes after an empty page. */
  endsEmpty: boolean;
  /** A trimmed shard stays listed. */
  staysListed: boolean;
}

export const SERVICE: StreamRules = {
  retentionMs: 24 * 3_600_000,
  iteratorLifeMs: 15 * 60_000,
  pageRecords: 1_000,
  pageBytes: 1_000_000,
  latencyMs: 2,
  listingDelayMs: 0,
  childrenDelayMs: 0,
  childFilter: 'served',
  describesPerSecond: 10,
  readers: 2,
  trimRefusedAt: 'iterator',
  unknownNumber: 'trimmed',
  nextOnOpen: 'given',
  endsEmpty: false,
  staysListed: false,
};

export interface StreamCall {
  readonly operation: 'describe' | 'children' | 'iterator' | 'read';
  readonly streamArn: string;
  /** Absent for a full listing. */
  readonly shardId?: string;
  readonly place?: IteratorPlace;
}

/** `lost`: it was done and counted, and no answer came. `empty`: a page without records that moves nothing. `short`: a page of a record at most. */
export type StreamFate =
  | 'pass'
  | 'throttled'
  | 'expired'
  | 'trimmed'
  | 'gone'
  | 'empty'
  | 'short'
  | 'lost'
  | ServiceFault
  | { readonly delayMs: Ms };
