/** The record as a Lambda function sees it in its event; and what other formats share with it. */
import type { ChangeKind, ChangeRecord } from '../model/change-record.ts';
import type { Item } from '../model/item.ts';
import type { PlainItem } from './plain-values.ts';

/** How items are shown: as they are, or plain. */
export type ShowItem = (item: Item) => Item | PlainItem;

const NAMES: Readonly<Record<ChangeKind, string>> = { insert: 'INSERT', modify: 'MODIFY', remove: 'REMOVE' };
const KNOWN_NAMES: ReadonlySet<string> = new Set(Object.values(NAMES));

export function lambdaEvent(record: ChangeRecord, show: ShowItem) {
  const { source, userIdentity } = record;
  return {
    eventID: record.eventId,
    eventName: eventNameOf(record),
    eventVersion: record.eventVersion,
    eventSource: 'aws:dynamodb',
    awsRegion: source.region,
    dynamodb: {
      ApproximateCreationDateTime: record.changedAt / 1000,
      Keys: show(record.keys),
      ...shownImages(record, show),
      SequenceNumber: record.token,
      SizeBytes: record.sizeBytes,
      StreamViewType: source.viewType,
    },
    ...(userIdentity && { userIdentity }),
    eventSourceARN: source.streamArn,
  };
}

/** Absent, never null, where there is none. */
export function shownImages({ before, after }: ChangeRecord, show: ShowItem) {
  return { ...(after && { NewImage: show(after) }), ...(before && { OldImage: show(before) }) };
}

/** Readers know three names: an event that came under another one is called by what it did. */
export function eventNameOf({ eventName, kind }: ChangeRecord): string {
  return KNOWN_NAMES.has(eventName) ? eventName : NAMES[kind];
}
