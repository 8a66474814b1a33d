/** DynamoDB Streams, as the shard reader and discovery need it. Expected outcomes are values; surprises are thrown as ServiceFault. */
import type { ChangeRecord, Source, ViewType } from '../model/change-record.ts';
import type { KeyNames } from '../model/key.ts';
import type { Token } from '../model/position.ts';
import type { EpochMs } from '../model/units.ts';

export interface ShardListing {
  readonly shardId: string;
  readonly parentShardId?: string;
  readonly startingToken?: Token;
  /** Present when the shard is closed. */
  readonly endingToken?: Token;
}

export interface StreamDescription {
  readonly arn: string;
  readonly table: string;
  readonly region: string;
  readonly status: 'ENABLING' | 'ENABLED' | 'DISABLING' | 'DISABLED';
  readonly viewType: ViewType;
  readonly keyNames: KeyNames;
  /** From the label in the arn. */
  readonly createdAt: EpochMs;
  /** Every page of the listing, in no promised order. */
  readonly shards: readonly ShardListing[];
  /** The server's date with this answer. */
  readonly servedAt: EpochMs;
}

export type IteratorPlace =
  | { readonly type: 'TRIM_HORIZON' | 'LATEST' }
  | { readonly type: 'AT_SEQUENCE_NUMBER' | 'AFTER_SEQUENCE_NUMBER'; readonly token: Token };

export type IteratorAnswer =
  | { readonly is: 'iterator'; readonly iterator: string; readonly servedAt: EpochMs }
  | { readonly is: 'trimmed' | 'gone' | 'throttled' };

export type ReadAnswer =
  | {
      readonly is: 'page';
      readonly records: readonly ChangeRecord[];
      /** Absent, or empty text, when the service gave none: the shard may have ended. */
      readonly next?: string;
      /** Bytes of the answer's body. */
      readonly bytes: number;
      readonly servedAt: EpochMs;
    }
  | { readonly is: 'expired' | 'trimmed' | 'gone' | 'throttled' };

export interface StreamApi {
  /** The whole listing, all pages. Throws a ServiceFault of class `missing` when the stream is gone. */
  describe(streamArn: string, signal: AbortSignal): Promise<StreamDescription>;
  /** Children of a closed shard; `unsupported` where the server does not know the filter. May be empty although there will be children. */
  children(streamArn: string, shardId: string, signal: AbortSignal): Promise<readonly ShardListing[] | 'unsupported'>;
  iterator(source: Source, place: IteratorPlace, signal: AbortSignal): Promise<IteratorAnswer>;
  /** At most 1,000 records. `source` is what the decoded records share. */
  read(iterator: string, source: Source, signal: AbortSignal): Promise<ReadAnswer>;
}
