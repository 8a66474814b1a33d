/**
 * The JSON that DynamoDB Streams answers with, as far as we read it, and the few differences of the local servers. Everything is optional, for a field
 * that is missing or new must not stop a shard.
 */
import type { ViewType } from '../model/change-record.ts';
import type { AttributeValue, Item } from '../model/item.ts';
import type { EpochMs } from '../model/units.ts';
import { epochOf } from './system.ts';

export interface WireRecord {
  readonly eventID?: string;
  readonly eventName?: string;
  readonly eventVersion?: string;
  readonly userIdentity?: {
    readonly Type?: string;
    readonly PrincipalId?: string;
    readonly type?: string;
    readonly principalId?: string;
  } | null;
  readonly dynamodb?: {
    /** Epoch seconds, perhaps with a fraction. */
    readonly ApproximateCreationDateTime?: number;
    readonly Keys?: Item;
    readonly OldImage?: Item | null;
    readonly NewImage?: Item | null;
    readonly SequenceNumber?: string;
    readonly SizeBytes?: number;
  };
}

export interface WirePage {
  readonly Records?: readonly WireRecord[];
  readonly NextShardIterator?: string | null;
}

export interface WireShard {
  readonly ShardId: string;
  readonly ParentShardId?: string | null;
  readonly SequenceNumberRange?: { readonly StartingSequenceNumber?: string; readonly EndingSequenceNumber?: string };
}

export type KeySchema = readonly { readonly AttributeName: string; readonly KeyType: string }[];

export interface WireDescription {
  readonly StreamArn?: string;
  readonly StreamLabel?: string;
  readonly StreamStatus: 'ENABLING' | 'ENABLED' | 'DISABLING' | 'DISABLED';
  readonly StreamViewType?: ViewType;
  readonly KeySchema?: KeySchema;
  readonly Shards?: readonly WireShard[];
  readonly LastEvaluatedShardId?: string | null;
}

export interface StreamArnParts {
  readonly region: string;
  readonly table: string;
  readonly label: string;
}

/** `arn:<partition>:dynamodb:<region>:<account>:table/<table>/stream/<label>`. */
export function streamArnParts(arn: string): StreamArnParts {
  const match = /^arn:[^:]+:dynamodb:([^:]*):[^:]*:table\/([^/]+)\/stream\/(.+)$/.exec(arn);
  const [, region, table, label] = match ?? [];
  if (region === undefined || table === undefined || label === undefined) {
    throw new Error(
      `not the ARN of a DynamoDB stream: ${JSON.stringify(arn)}; it looks like arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/stream/LABEL`,
    );
  }
  return { region, table, label };
}

/** Local servers put a word of their own there (`ddblocal`, `dynoxide`); a region of the service has dashes. */
export function isLocalRegion(region: string): boolean {
  return !region.includes('-');
}

/** The label is the time of the stream's making: an ISO text, at some local servers epoch seconds. */
export function labelTime(label: string): EpochMs {
  return epochOf(`${label}Z`) ?? (Math.round(Number(label) * 1000) || 0);
}

/** Whether an answer may hold a value without a type: a text search, so that an answer without an empty object costs nothing. */
export function mayHoldUntypedValues(text: string): boolean {
  return text.includes('{}');
}

/** DynamoDB Local 3 drops the type of an empty map in stream images, at any depth: a value `{}` can only be that. The same item when it has none. */
export function withTypedMaps(item: Item): Item {
  let changed = false;
  const entries = Object.entries(item).map(([name, value]) => {
    const typed = typedValue(value);
    changed ||= typed !== value;
    return [name, typed] as const;
  });
  return changed ? Object.fromEntries(entries) : item;
}

function typedValue(value: AttributeValue): AttributeValue {
  if ('M' in value) {
    const typed = withTypedMaps(value.M);
    return typed === value.M ? value : { M: typed };
  }
  if ('L' in value) {
    const typed = value.L.map(typedValue);
    return typed.some((element, at) => element !== value.L[at]) ? { L: typed } : value;
  }
  return Object.keys(value).length === 0 ? { M: {} } : value;
}
