/** The SDK twin of `KinesisApi`. */
import { DescribeStreamSummaryCommand, KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import type { KinesisApi, KinesisResult } from '../ports/kinesis-api.ts';
import type { AwsOptions } from '../ports/table-api.ts';
import { type KinesisSummary, kinesisStreamFrom, streamIdentifier } from './aws-kinesis.ts';
import { type SdkSource, sdkCall, sdkSettings } from './sdk-call.ts';

export function sdkKinesis(options: AwsOptions, { keeper, clock }: SdkSource): KinesisApi & { close(): void } {
  const client = new KinesisClient(sdkSettings(options, keeper));
  return {
    async putRecords(stream, entries, signal) {
      const records = entries.map(entry => ({ Data: Buffer.from(entry.Data, 'utf8'), PartitionKey: entry.PartitionKey }));
      const command = new PutRecordsCommand({ ...streamIdentifier(stream), Records: records });
      const { json } = await sdkCall(command, { client, keeper, clock }, signal);
      return (json as { readonly Records: readonly KinesisResult[] }).Records;
    },
    async describe(stream, signal) {
      const command = new DescribeStreamSummaryCommand(streamIdentifier(stream));
      const { json } = await sdkCall(command, { client, keeper, clock }, signal);
      return kinesisStreamFrom((json as { readonly StreamDescriptionSummary: KinesisSummary }).StreamDescriptionSummary);
    },
    close: () => client.destroy(),
  };
}
