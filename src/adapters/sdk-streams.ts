/** The calls of DynamoDB Streams by the SDK. Its answers are put back into the wire's shape, so that one decoder serves both clients. */
import { DescribeStreamCommand, DynamoDBStreamsClient, GetRecordsCommand, GetShardIteratorCommand } from '@aws-sdk/client-dynamodb-streams';
import type { AwsOptions } from '../ports/table-api.ts';
import type { StreamCalls } from './dynamodb-streams.ts';
import { type SdkSource, sdkCall, sdkSettings } from './sdk-call.ts';

const COMMANDS: Readonly<Record<Parameters<StreamCalls['call']>[0], new (request: never) => object>> = {
  DescribeStream: DescribeStreamCommand,
  GetShardIterator: GetShardIteratorCommand,
  GetRecords: GetRecordsCommand,
};

export function sdkStreamCalls(
  options: AwsOptions,
  { keySchema, ...source }: SdkSource & Pick<StreamCalls, 'keySchema'>,
): StreamCalls & { close(): void } {
  const client = new DynamoDBStreamsClient(sdkSettings(options, source.keeper));
  return {
    call: (operation, request, signal) => sdkCall(new COMMANDS[operation](request as never), { ...source, client }, signal),
    keySchema,
    region: () => client.config.region(),
    close: () => client.destroy(),
  };
}
