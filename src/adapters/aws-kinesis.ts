/** What both Kinesis twins share: how a stream is named in a request, and what of its summary the house wants to know. */
import type { KinesisStream } from '../ports/kinesis-api.ts';

export interface KinesisSummary {
  readonly StreamARN?: string | undefined;
  readonly StreamStatus?: string | undefined;
  readonly OpenShardCount?: number | undefined;
  readonly MaxRecordSizeInKiB?: number | undefined;
}

/** A stream is named by its ARN or by its plain name. */
export function streamIdentifier(stream: string): { readonly StreamARN: string } | { readonly StreamName: string } {
  return stream.startsWith('arn:') ? { StreamARN: stream } : { StreamName: stream };
}

export function kinesisStreamFrom(summary: KinesisSummary): KinesisStream {
  const { MaxRecordSizeInKiB: kib } = summary;
  return {
    arn: summary.StreamARN ?? '',
    status: summary.StreamStatus ?? '',
    openShards: summary.OpenShardCount ?? 0,
    ...(kib === undefined ? {} : { maxRecordBytes: kib * 1024 }),
  };
}
