/** The calls of DynamoDB Streams by the fast client: reads of shards are the hottest path of the house. */
import type { StreamCalls } from './dynamodb-streams.ts';
import type { FastClient } from './fast-client.ts';

export function fastStreamCalls(client: FastClient, around: Pick<StreamCalls, 'region' | 'keySchema'>): StreamCalls {
  return { ...around, call: (operation, request, signal) => client.call(operation, request, signal) };
}
