/**
 * `StreamApi` over DynamoDB Streams. Two clients can carry its calls, `fast` and `sdk`; what the answers mean is said here once. Refusals that a
 * reader expects (an expired iterator, trimmed records, a shard that is gone, a throttle) come back as values, everything else is thrown.
 */
import type { Source } from '../model/change-record.ts';
import type { KeyNames } from '../model/key.ts';
import type { EpochMs } from '../model/units.ts';
import type { Log } from '../ports/log.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { IteratorAnswer, IteratorPlace, ReadAnswer, ShardListing, StreamApi, StreamDescription } from '../ports/stream-api.ts';
import type { Answer } from './aws-answers.ts';
import { decodeRecords, unknownEventName } from './dynamodb-streams-decode.ts';
import {
  isLocalRegion,
  type KeySchema,
  labelTime,
  mayHoldUntypedValues,
  streamArnParts,
  type WireDescription,
  type WirePage,
  type WireShard,
} from './dynamodb-streams-wire.ts';

/** One attempt of one call, by whichever client. */
export interface StreamCalls {
  call(operation: 'DescribeStream' | 'GetShardIterator' | 'GetRecords', request: object, signal: AbortSignal): Promise<Answer>;
  /** The region that the client talks to. */
  region(): Promise<string>;
  /** The key of a table at the same address, for servers whose streams do not name it. */
  keySchema(table: string, signal: AbortSignal): Promise<KeySchema>;
}

const PAGE_RECORDS = 1_000;

export function streamApi(calls: StreamCalls, log: Log): StreamApi {
  const once = onceEach(log);
  return {
    describe: (streamArn, signal) => describe(calls, streamArn, signal),
    children: (streamArn, shardId, signal) => children(calls, { streamArn, shardId }, signal),
    iterator: (source, place, signal) => iterator(calls, { source, place }, signal),
    read: (token, source, signal) => read(calls, { token, source, once }, signal),
  };
}

async function describe(calls: StreamCalls, streamArn: string, signal: AbortSignal): Promise<StreamDescription> {
  const { region, table, label } = streamArnParts(streamArn);
  const { first, shards, servedAt } = await listing(calls, { StreamArn: streamArn }, signal);
  return {
    arn: streamArn,
    table,
    region: isLocalRegion(region) ? await calls.region() : region,
    status: first.StreamStatus,
    viewType: first.StreamViewType ?? 'KEYS_ONLY',
    keyNames: keyNamesOf(first.KeySchema ?? (await calls.keySchema(table, signal)), table),
    createdAt: labelTime(label),
    shards,
    servedAt,
  };
}

/** A server that knows no filter refuses it, or ignores it and lists every shard; of those only the children are given. */
async function children(
  calls: StreamCalls,
  { streamArn, shardId }: { readonly streamArn: string; readonly shardId: string },
  signal: AbortSignal,
): Promise<readonly ShardListing[] | 'unsupported'> {
  const request = { StreamArn: streamArn, ShardFilter: { Type: 'CHILD_SHARDS', ShardId: shardId } };
  try {
    const { shards } = await listing(calls, request, signal);
    return shards.filter(shard => shard.parentShardId === shardId);
  } catch (error) {
    if (error instanceof ServiceFault && error.class === 'invalid') return 'unsupported';
    throw error;
  }
}

/** Every page: the one before the last says nothing of what the last holds. */
async function listing(
  calls: StreamCalls,
  request: object,
  signal: AbortSignal,
): Promise<{ first: WireDescription; shards: readonly ShardListing[]; servedAt: EpochMs }> {
  const shards: ShardListing[] = [];
  let first: WireDescription | undefined;
  let from: string | undefined;
  for (;;) {
    const answer = await calls.call('DescribeStream', from === undefined ? request : { ...request, ExclusiveStartShardId: from }, signal);
    const { StreamDescription: page } = answer.json as { readonly StreamDescription: WireDescription };
    first ??= page;
    shards.push(...(page.Shards ?? []).map(listingOf));
    const next = page.LastEvaluatedShardId || undefined;
    if (next === undefined || next === from) return { first, shards, servedAt: answer.servedAt };
    from = next;
  }
}

function listingOf(shard: WireShard): ShardListing {
  const { StartingSequenceNumber: starting, EndingSequenceNumber: ending } = shard.SequenceNumberRange ?? {};
  return {
    shardId: shard.ShardId,
    ...(shard.ParentShardId ? { parentShardId: shard.ParentShardId } : {}),
    ...(starting ? { startingToken: starting } : {}),
    ...(ending ? { endingToken: ending } : {}),
  };
}

function keyNamesOf(schema: KeySchema, table: string): KeyNames {
  const hash = schema.find(element => element.KeyType === 'HASH')?.AttributeName;
  const range = schema.find(element => element.KeyType === 'RANGE')?.AttributeName;
  if (hash === undefined) throw new Error(`the server names no key of table ${table}`);
  return range === undefined ? [hash] : [hash, range];
}

async function iterator(
  calls: StreamCalls,
  { source, place }: { readonly source: Source; readonly place: IteratorPlace },
  signal: AbortSignal,
): Promise<IteratorAnswer> {
  const request = {
    StreamArn: source.streamArn,
    ShardId: source.partition,
    ShardIteratorType: place.type,
    ...('token' in place ? { SequenceNumber: place.token } : {}),
  };
  try {
    const { json, servedAt } = await calls.call('GetShardIterator', request, signal);
    const { ShardIterator: given } = json as { readonly ShardIterator?: string };
    if (!given) throw new ServiceFault('NoIterator', `no iterator was given for shard ${source.partition}`, { class: 'server' });
    return { is: 'iterator', iterator: given, servedAt };
  } catch (error) {
    if (error instanceof ServiceFault && 'token' in place && isUnknownNumber(error, source)) return { is: 'trimmed' };
    return { is: outcomeOf(error, ['trimmed', 'gone', 'throttled']) };
  }
}

async function read(
  calls: StreamCalls,
  { token, source, once }: { readonly token: string; readonly source: Source; readonly once: Once },
  signal: AbortSignal,
): Promise<ReadAnswer> {
  let answer: Answer;
  try {
    answer = await calls.call('GetRecords', { ShardIterator: token, Limit: PAGE_RECORDS }, signal);
  } catch (error) {
    if (error instanceof ServiceFault && isUnknownIterator(error)) return { is: 'expired' };
    return { is: outcomeOf(error, ['expired', 'trimmed', 'gone', 'throttled']) };
  }
  const { json, text, bytes, servedAt } = answer;
  const { Records: wire = [], NextShardIterator: next } = json as WirePage;
  const unknown = unknownEventName(wire);
  if (unknown !== undefined) once(`event ${unknown}`, source, `unknown event name ${unknown}: such changes are judged by their images`);
  const untypedValues = mayHoldUntypedValues(text);
  const records = decodeRecords(wire, { source, bodyBytes: bytes, untypedValues, onUntyped: () => once('untyped', source, UNTYPED) });
  return { is: 'page', records, bytes, servedAt, ...(next ? { next } : {}) };
}

const UNTYPED = 'the server sent values without a type (DynamoDB Local does so for empty maps): they are read as empty maps';

/** Refusals that a reader expects, by the service's name for them. */
const OUTCOMES: ReadonlyMap<string, 'expired' | 'trimmed' | 'gone'> = new Map([
  ['ExpiredIteratorException', 'expired'],
  ['TrimmedDataAccessException', 'trimmed'],
  ['ResourceNotFoundException', 'gone'],
]);

/** The expected outcome that a refusal is; anything else is thrown on. */
function outcomeOf<Is extends 'expired' | 'trimmed' | 'gone' | 'throttled'>(error: unknown, expected: readonly Is[]): Is {
  if (!(error instanceof ServiceFault)) throw error;
  const outcome = OUTCOMES.get(error.name) ?? (error.class === 'throttled' ? 'throttled' : undefined);
  const is = expected.find(one => one === outcome);
  if (is === undefined) throw error;
  return is;
}

/**
 * The number of a position is not one of the shard's: what it stood for has been trimmed. The service refuses it as invalid; DynamoDB Local, whose
 * numbers begin again when it starts, fails with a 500 that would be tried for ever.
 */
function isUnknownNumber(fault: ServiceFault, source: Source): boolean {
  if (fault.name === 'ValidationException') return true;
  return fault.name === 'InternalFailure' && isLocalRegion(streamArnParts(source.streamArn).region);
}

/** An iterator of a server that has started anew: another one heals it, as if it had expired. */
function isUnknownIterator(fault: ServiceFault): boolean {
  return fault.name === 'ValidationException' && /shard ?iterator/i.test(fault.message);
}

type Once = (what: string, source: Source, message: string) => void;

/** Warns once for each thing and table. */
function onceEach(log: Log): Once {
  const said = new Set<string>();
  return (what, { table, streamArn }, message) => {
    const name = `${what} ${streamArn}`;
    if (said.has(name)) return;
    said.add(name);
    log.warn({ table }, message);
  };
}
