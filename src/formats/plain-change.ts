/**
 * The change in one flat object, for readers who know nothing of DynamoDB. An image is null where there was no item, and absent where the stream's view type
 * does not carry it.
 */
import type { ChangeRecord } from '../model/change-record.ts';
import { isoTime } from '../model/iso-time.ts';
import type { ShowItem } from './lambda-event.ts';

export function plainChange(record: ChangeRecord, show: ShowItem) {
  const { source, kind, userIdentity } = record;
  return {
    eventID: record.eventId,
    event: kind,
    table: source.table,
    region: source.region,
    time: isoTime(record.changedAt, 3),
    sequenceNumber: record.token,
    key: show(record.keys),
    ...imageAs('before', record.before && show(record.before), kind === 'insert'),
    ...imageAs('after', record.after && show(record.after), kind === 'remove'),
    ...(userIdentity && { userIdentity }),
  };
}

function imageAs(name: string, image: ReturnType<ShowItem> | undefined, isNone: boolean) {
  if (image !== undefined) return { [name]: image };
  return isNone ? { [name]: null } : {};
}
