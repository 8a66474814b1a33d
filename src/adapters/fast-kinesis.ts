/** The fast twin of `KinesisApi`. On the wire `Data` is base64. */
import type { KinesisApi, KinesisResult } from '../ports/kinesis-api.ts';
import { type KinesisSummary, kinesisStreamFrom, streamIdentifier } from './aws-kinesis.ts';
import type { FastClient } from './fast-client.ts';

export function fastKinesis(client: FastClient): KinesisApi {
  return {
    async putRecords(stream, entries, signal) {
      const records = entries.map(entry => ({
        Data: Buffer.from(entry.Data, 'utf8').toString('base64'),
        PartitionKey: entry.PartitionKey,
      }));
      const answer = await client.call('PutRecords', { ...streamIdentifier(stream), Records: records }, signal);
      return (answer.json as { readonly Records: readonly KinesisResult[] }).Records;
    },
    async describe(stream, signal) {
      const answer = await client.call('DescribeStreamSummary', streamIdentifier(stream), signal);
      return kinesisStreamFrom((answer.json as { readonly StreamDescriptionSummary: KinesisSummary }).StreamDescriptionSummary);
    },
  };
}
