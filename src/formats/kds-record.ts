/**
 * The record as Kinesis Data Streams for DynamoDB writes it, field for field, so that its consumers work unchanged. One field more, `SequenceNumber`: the
 * original has nothing to order two changes of the same millisecond by.
 */
import type { ChangeRecord } from '../model/change-record.ts';
import { eventNameOf, type ShowItem, shownImages } from './lambda-event.ts';

export function kdsRecord(record: ChangeRecord, show: ShowItem) {
  return {
    awsRegion: record.source.region,
    eventID: record.eventId,
    eventName: eventNameOf(record),
    userIdentity: record.userIdentity ?? null,
    recordFormat: 'application/json',
    tableName: record.source.table,
    dynamodb: {
      ApproximateCreationDateTime: record.changedAt,
      Keys: show(record.keys),
      ...shownImages(record, show),
      SizeBytes: record.sizeBytes,
      SequenceNumber: record.token,
    },
    eventSource: 'aws:dynamodb',
  };
}
