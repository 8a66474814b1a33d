/** Debezium's envelope, without schemas: before, after, op and where the change comes from. A tombstone is the target's affair. */
import type { ChangeRecord } from '../model/change-record.ts';
import type { EpochMs } from '../model/units.ts';
import type { ImageText } from './encoded.ts';

const OPS = { insert: 'c', modify: 'u', remove: 'd' } as const;
const VERSION = '1';

export function debeziumEnvelope(record: ChangeRecord, as: { image: ImageText; nowMs: number }): string {
  const { source } = record;
  const op = source.origin === 'snapshot' ? 'r' : OPS[record.kind];
  const about = JSON.stringify({
    version: VERSION,
    connector: 'dynamodb',
    name: 'tidemark',
    ...(source.origin === 'snapshot' && { snapshot: 'true' }),
    db: source.region,
    table: source.table,
    sequence: JSON.stringify([source.partition, record.token]),
  });
  const from = `${about.slice(0, -1)},${times(record.changedAt)}}`;
  const [before, after] = [as.image(record.before), as.image(record.after)];
  return `{"before":${before},"after":${after},"source":${from},"op":"${op}",${times(as.nowMs)},"transaction":null}`;
}

/** As text: nanoseconds are more than a double holds. */
const times = (ms: EpochMs): string => `"ts_ms":${ms},"ts_us":${ms}000,"ts_ns":${ms}000000`;
