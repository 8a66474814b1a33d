/**
 * The shapes that AWS itself gives changes: the event record as Lambda sees it, the record of Kinesis Data Streams for DynamoDB (a superset: ours adds
 * the sequence number), and the line of an incremental export. Images stay typed DynamoDB JSON.
 */
import type { ChangeRecord } from '../model/change-record.ts';

/** `TextOf` gives JSON text. */
export type TextOf = (record: ChangeRecord) => string;

export const lambdaRecord: TextOf = record => {
  const { source, userIdentity } = record;
  return JSON.stringify({
    eventID: record.eventId,
    eventName: record.eventName,
    eventVersion: record.eventVersion,
    eventSource: 'aws:dynamodb',
    awsRegion: source.region,
    dynamodb: {
      ApproximateCreationDateTime: record.changedAt / 1000,
      Keys: record.keys,
      NewImage: record.after,
      OldImage: record.before,
      SequenceNumber: record.token,
      SizeBytes: record.sizeBytes,
      StreamViewType: source.viewType,
    },
    eventSourceARN: source.streamArn,
    userIdentity,
  });
};

export const kdsRecord: TextOf = record =>
  JSON.stringify({
    awsRegion: record.source.region,
    eventID: record.eventId,
    eventName: record.eventName,
    userIdentity: record.userIdentity ?? null,
    recordFormat: 'application/json',
    tableName: record.source.table,
    dynamodb: {
      ApproximateCreationDateTime: record.changedAt,
      Keys: record.keys,
      NewImage: record.after,
      OldImage: record.before,
      SizeBytes: record.sizeBytes,
      SequenceNumber: record.token,
    },
    eventSource: 'aws:dynamodb',
  });

export const exportLine: TextOf = record =>
  JSON.stringify({
    Metadata: {
      WriteTimestampMicros: { N: String(record.changedAt * 1000) },
      EventId: record.eventId,
      EventName: record.eventName,
      SequenceNumber: record.token,
      ShardId: record.source.partition,
      StreamArn: record.source.streamArn,
      UserIdentity: record.userIdentity,
    },
    Keys: record.keys,
    OldImage: record.before,
    NewImage: record.after,
  });
