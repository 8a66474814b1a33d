/** The calls of DynamoDB Streams by the fast client: reads of shards are the hottest path of the house. */

import type { StreamCalls } from './dynamodb-streams.ts';
import { mayHoldUntypedValues } from './dynamodb-streams-wire.ts';
import type { FastClient } from './fast-client.ts';

export function fastStreamCalls(client: FastClient, region: (signal: AbortSignal) => Promise<string>): StreamCalls {
  return {
    async call(operation, request, signal) {
      const { json, text, bytes, servedAt } = await client.call(operation, request, signal);
      return { json, bytes, servedAt, untypedValues: mayHoldUntypedValues(text) };
    },
    region,
  };
}
