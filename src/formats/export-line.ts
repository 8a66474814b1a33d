/**
 * The change as a line of DynamoDB's incremental export to S3, which every reader of such exports understands. What the export does not have but a replay
 * needs stands beside `WriteTimestampMicros` in `Metadata`, typed as it is. Always typed, whatever a sink says of values.
 */
import type { ChangeRecord } from '../model/change-record.ts';
import type { Item } from '../model/item.ts';
import { eventNameOf, shownImages } from './lambda-event.ts';

export function exportLine(record: ChangeRecord) {
  const { source, userIdentity } = record;
  const metadata: Item = {
    WriteTimestampMicros: { N: String(record.changedAt * 1000) },
    EventId: { S: record.eventId },
    EventName: { S: eventNameOf(record) },
    EventVersion: { S: record.eventVersion },
    SequenceNumber: { S: record.token },
    ShardId: { S: source.partition },
    SizeBytes: { N: String(record.sizeBytes) },
    StreamArn: { S: source.streamArn },
    StreamViewType: { S: source.viewType },
    ...(userIdentity && { UserIdentity: { M: { type: { S: userIdentity.type }, principalId: { S: userIdentity.principalId } } } }),
  };
  return { Metadata: metadata, Keys: record.keys, ...shownImages(record, item => item) };
}
