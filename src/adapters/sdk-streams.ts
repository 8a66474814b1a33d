/** The calls of DynamoDB Streams by the SDK. Its answers are put back into the wire's shape, so that one decoder serves both clients. */
import { DescribeStreamCommand, DynamoDBStreamsClient, GetRecordsCommand, GetShardIteratorCommand } from '@aws-sdk/client-dynamodb-streams';
import type { Clock } from '../ports/clock.ts';
import type { AwsOptions } from '../ports/table-api.ts';
import type { CredentialKeeper } from './aws-credentials.ts';
import type { StreamCalls } from './dynamodb-streams.ts';
import { sdkCall, sdkSettings } from './sdk-call.ts';

const COMMANDS: Readonly<Record<Parameters<StreamCalls['call']>[0], new (request: never) => object>> = {
  DescribeStream: DescribeStreamCommand,
  GetShardIterator: GetShardIteratorCommand,
  GetRecords: GetRecordsCommand,
};

export function sdkStreamCalls(
  options: AwsOptions,
  { keeper, clock }: { readonly keeper: CredentialKeeper; readonly clock: Clock },
): StreamCalls & { close(): void } {
  const client = new DynamoDBStreamsClient(sdkSettings(options, keeper));
  return {
    async call(operation, request, signal) {
      const command = new COMMANDS[operation](request as never);
      const { json, bytes, servedAt } = await sdkCall(command, { client, keeper }, signal);
      return {
        json,
        bytes: bytes ?? Buffer.byteLength(JSON.stringify(json)),
        servedAt: servedAt ?? clock.now(),
        untypedValues: true,
      };
    },
    region: () => client.config.region(),
    close: () => client.destroy(),
  };
}
