/**
 * The change in Debezium's envelope, without schemas, as its JSON converter writes it with `schemas.enable=false`. Made as text, because nanoseconds since
 * 1970 do not fit a double.
 */
import type { ChangeKind, ChangeRecord } from '../model/change-record.ts';
import type { EpochMs } from '../model/units.ts';
import type { ShowItem } from './lambda-event.ts';

/** Shown as `source.version`: that of this package. */
export const VERSION = '0.1.0';

const OPERATIONS: Readonly<Record<ChangeKind, string>> = { insert: 'c', modify: 'u', remove: 'd' };

export interface EnvelopeOptions {
  readonly show: ShowItem;
  /** What Debezium calls the topic prefix. */
  readonly name: string;
  /** When the change passed through here. */
  readonly now: EpochMs;
}

export function debeziumEnvelope(record: ChangeRecord, { show, name, now }: EnvelopeOptions): string {
  const { kind, before, after } = record;
  const isRead = record.source.origin === 'snapshot';
  const images = {
    before: isRead || kind === 'insert' || !before ? null : show(before),
    after: kind === 'remove' || !after ? null : show(after),
  };
  const op = isRead ? 'r' : OPERATIONS[kind];
  return `${open(images)},"source":${sourceOf(record, name)},"op":"${op}",${times(now)},"transaction":null}`;
}

function sourceOf(record: ChangeRecord, name: string): string {
  const { source, userIdentity } = record;
  const first = { version: VERSION, connector: 'dynamodb', name };
  const rest = {
    // Only set where it is one, as Debezium does.
    ...(source.origin === 'snapshot' && { snapshot: 'true' }),
    db: databaseOf(source.streamArn, source.region),
    table: source.table,
    sequence: JSON.stringify([source.partition, record.token]),
    event_id: record.eventId,
    ...(userIdentity && { user_identity: userIdentity }),
  };
  return `${open(first)},${times(record.changedAt)},${JSON.stringify(rest).slice(1)}`;
}

/** Account and region; the account stands in the stream's ARN. */
function databaseOf(streamArn: string, region: string): string {
  const account = streamArn.split(':')[4] ?? '';
  return account === '' ? region : `${account}/${region}`;
}

const times = (at: EpochMs): string => `"ts_ms":${at},"ts_us":${at * 1000},"ts_ns":${BigInt(Math.round(at)) * 1_000_000n}`;

/** A JSON object without its closing brace. */
const open = (members: object): string => JSON.stringify(members).slice(0, -1);
