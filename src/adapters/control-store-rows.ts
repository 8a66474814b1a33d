/** Control rows as they stand in the table: `pk` says the kind and the pipeline, `sk` is the row's own key. */
import type { AttributeValue, Item } from '../model/item.ts';
import type { Gap, GapReason } from '../model/page.ts';
import type { EpochMs } from '../model/units.ts';
import type { GapRow, Member, SinkRequest, SinkStart, StreamRow } from '../ports/control-store.ts';
import * as values from './attribute-values.ts';

export const REQUESTS = 'request';
export const MEMBERS = 'member';
export const startsOf = (pipeline: string) => `start#${pipeline}`;
export const gapsOf = (pipeline: string) => `gap#${pipeline}`;
export const streamsOf = (pipeline: string) => `stream#${pipeline}`;

export function startKey(pipeline: string, sink: string, streamArn: string): Item {
  return { pk: { S: startsOf(pipeline) }, sk: { S: `${sink}#${streamArn}` } };
}

export function startItem(start: SinkStart): Item {
  return {
    ...startKey(start.pipeline, start.sink, start.streamArn),
    sink: { S: start.sink },
    streamArn: { S: start.streamArn },
    position: { S: start.position },
    takenAt: { N: String(start.takenAt) },
    frontier: { L: start.frontier.map(shard => ({ S: shard })) },
    ...(start.formerly !== undefined && { formerly: { S: start.formerly } }),
  };
}

export function sinkStart(pipeline: string, item: Item): SinkStart {
  return {
    pipeline,
    sink: text(item, 'sink'),
    streamArn: text(item, 'streamArn'),
    position: startingPosition(text(item, 'position')),
    takenAt: number(item, 'takenAt'),
    frontier: texts(item['frontier']),
    ...(item['formerly'] !== undefined && { formerly: text(item, 'formerly') }),
  };
}

function startingPosition(text: string): SinkStart['position'] {
  return text === 'LATEST' || text === 'CHECKPOINT' ? text : 'TRIM_HORIZON';
}

export function requestKey(pipeline: string, sink: string): Item {
  return { pk: { S: REQUESTS }, sk: { S: `${pipeline}/${sink}` } };
}

export function sinkRequest(item: Item): SinkRequest {
  const paused = item['paused'];
  return {
    pipeline: text(item, 'pipeline'),
    sink: text(item, 'sink'),
    paused: paused !== undefined && 'BOOL' in paused && paused.BOOL,
    asked: number(item, 'asked'),
  };
}

/** A gap is known by where it begins: found again after a crash, its end may have moved. */
export function gapKey({ pipeline, streamArn, partition, gap }: GapRow): Item {
  return { pk: { S: gapsOf(pipeline) }, sk: { S: `${streamArn}:${partition ?? ''}#${gap.reason}#${gap.from ?? ''}` } };
}

/** All but `sinks`, to which each report adds. */
export function gapAttributes({ table, streamArn, partition, gap }: GapRow): readonly (readonly [string, AttributeValue])[] {
  const optional = [
    ['shardId', partition],
    ['from', gap.from],
    ['to', gap.to],
  ] as const;
  return [
    ['table', { S: table }],
    ['streamArn', { S: streamArn }],
    ['reason', { S: gap.reason }],
    ['note', { S: gap.note }],
    ['at', { N: String(gap.at) }],
    ...optional.flatMap(([name, value]) => (value === undefined ? [] : [[name, { S: value }] as const])),
  ];
}

export function gapRow(pipeline: string, item: Item): GapRow {
  const [from, to, shard] = [item['from'], item['to'], item['shardId']];
  const gap: Gap = {
    reason: text(item, 'reason') as GapReason,
    at: number(item, 'at'),
    note: text(item, 'note'),
    ...(from && { from: text(item, 'from') }),
    ...(to && { to: text(item, 'to') }),
  };
  const row = { pipeline, table: text(item, 'table'), streamArn: text(item, 'streamArn'), sinks: texts(item['sinks']), gap };
  return shard === undefined ? row : { ...row, partition: text(item, 'shardId') };
}

export function streamItem(row: StreamRow): Item {
  return {
    pk: { S: streamsOf(row.pipeline) },
    sk: { S: row.arn },
    table: { S: row.table },
    firstSeenAt: { N: String(row.firstSeenAt) },
    ...(row.drainedAt !== undefined && { drainedAt: { N: String(row.drainedAt) } }),
  };
}

export function streamRow(pipeline: string, item: Item): StreamRow {
  const row = { pipeline, table: text(item, 'table'), arn: text(item, 'sk'), firstSeenAt: number(item, 'firstSeenAt') };
  return item['drainedAt'] === undefined ? row : { ...row, drainedAt: number(item, 'drainedAt') };
}

export function memberKey(worker: string): Item {
  return { pk: { S: MEMBERS }, sk: { S: worker } };
}

export function memberValues({ weight, draining, serves, unable }: Omit<Member, 'beat' | 'bell'>, expiresAt: EpochMs): Item {
  const list = (texts: readonly string[]) => ({ L: texts.map(S => ({ S })) });
  return {
    ':weight': { N: String(weight) },
    ':draining': { BOOL: draining },
    ':serves': list(serves),
    ':unable': list(unable),
    // Time to live counts in seconds.
    ':expiresAt': { N: String(Math.ceil(expiresAt / 1000)) },
  };
}

export function member(item: Item): Member {
  const draining = item['draining'];
  return {
    worker: text(item, 'sk'),
    beat: number(item, 'beat'),
    bell: number(item, 'bell'),
    weight: number(item, 'weight'),
    draining: draining !== undefined && 'BOOL' in draining && draining.BOOL,
    serves: texts(item['serves']),
    unable: texts(item['unable']),
  };
}

function text(item: Item, name: string): string {
  const value = values.text(item[name]);
  if (value === undefined) throw broken(item, name);
  return value;
}

function number(item: Item, name: string): number {
  const value = values.number(item[name]);
  if (value === undefined) throw broken(item, name);
  return value;
}

function texts(value: AttributeValue | undefined): readonly string[] {
  if (value === undefined) return [];
  if ('SS' in value) return [...value.SS].sort();
  return 'L' in value ? value.L.flatMap(entry => ('S' in entry ? [entry.S] : [])) : [];
}

function broken(item: Item, name: string): Error {
  return new Error(`a row of the control table has no ${name} that this version understands: ${JSON.stringify([item['pk'], item['sk']])}`);
}
