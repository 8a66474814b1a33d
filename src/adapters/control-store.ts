/** The control table in DynamoDB: `pk`, `sk`, both text, and `expiresAt` for rows that are only rubbish after a while. */
import type { Item } from '../model/item.ts';
import { byMaking } from '../model/stream-arn.ts';
import type { EpochMs, Ms, SinkName } from '../model/units.ts';
import type { ControlStore, GapRow, Member, SinkRequest, SinkStart, StreamRow } from '../ports/control-store.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { TableApi } from '../ports/table-api.ts';
import * as rows from './control-store-rows.ts';
import { prepareStateTable, type StateTable } from './state-table.ts';
import { allItems } from './table-pages.ts';
import { timedTable } from './timed-table.ts';

const CALL_MS: Ms = 3_000;

export function controlStore(state: StateTable): ControlStore {
  return new DynamoControlStore(state);
}

class DynamoControlStore implements ControlStore {
  readonly #state: StateTable;
  readonly #table: TableApi;

  constructor(state: StateTable) {
    this.#table = timedTable(state.table, state.clock, CALL_MS);
    this.#state = { ...state, table: this.#table };
  }

  prepare(signal: AbortSignal): Promise<void> {
    return prepareStateTable(this.#state, { key: ['pk', 'sk'], ttl: 'expiresAt' }, signal);
  }

  async sinkStarts(pipeline: string, signal: AbortSignal): Promise<readonly SinkStart[]> {
    return (await this.#ofKind(rows.startsOf(pipeline), signal)).map(item => rows.sinkStart(pipeline, item));
  }

  async createSinkStart(start: SinkStart, signal: AbortSignal): Promise<{ readonly start: SinkStart; readonly created: boolean }> {
    const Item = rows.startItem(start);
    try {
      await this.#table.call('PutItem', { TableName: this.#state.name, Item, ConditionExpression: 'attribute_not_exists(pk)' }, signal);
      return { start, created: true };
    } catch (error) {
      if (!(error instanceof ServiceFault) || error.class !== 'condition') throw error;
    }
    return { start: await this.#standing(start, signal), created: false };
  }

  async sinkRequests(signal: AbortSignal): Promise<readonly SinkRequest[]> {
    return (await this.#ofKind(rows.REQUESTS, signal)).map(rows.sinkRequest);
  }

  async ask(pipeline: string, sink: SinkName, paused: boolean, signal: AbortSignal): Promise<void> {
    await this.#table.call(
      'UpdateItem',
      {
        TableName: this.#state.name,
        Key: rows.requestKey(pipeline, sink),
        UpdateExpression: 'SET #pipeline = :pipeline, #sink = :sink, #paused = :paused ADD #asked :one',
        ExpressionAttributeNames: { '#pipeline': 'pipeline', '#sink': 'sink', '#paused': 'paused', '#asked': 'asked' },
        ExpressionAttributeValues: { ':pipeline': { S: pipeline }, ':sink': { S: sink }, ':paused': { BOOL: paused }, ':one': { N: '1' } },
      },
      signal,
    );
  }

  async addGap(row: GapRow, signal: AbortSignal): Promise<void> {
    const attributes = rows.gapAttributes(row);
    const names = attributes.map(([name], at) => [`#a${at}`, name] as const);
    const values = attributes.map(([, value], at) => [`:a${at}`, value] as const);
    await this.#table.call(
      'UpdateItem',
      {
        TableName: this.#state.name,
        Key: rows.gapKey(row),
        UpdateExpression: `SET ${attributes.map((_, at) => `#a${at} = :a${at}`).join(', ')} ADD #sinks :sinks`,
        ExpressionAttributeNames: { '#sinks': 'sinks', ...Object.fromEntries(names) },
        ExpressionAttributeValues: { ':sinks': { SS: row.sinks }, ...Object.fromEntries(values) },
      },
      signal,
    );
  }

  async gaps(pipeline: string, signal: AbortSignal): Promise<readonly GapRow[]> {
    return (await this.#ofKind(rows.gapsOf(pipeline), signal)).map(item => rows.gapRow(pipeline, item));
  }

  async streams(pipeline: string, signal: AbortSignal): Promise<readonly StreamRow[]> {
    const streams = (await this.#ofKind(rows.streamsOf(pipeline), signal)).map(item => rows.streamRow(pipeline, item));
    return streams.sort(byMaking);
  }

  async putStream(row: StreamRow, signal: AbortSignal): Promise<void> {
    await this.#table.call('PutItem', { TableName: this.#state.name, Item: rows.streamItem(row) }, signal);
  }

  async members(signal: AbortSignal): Promise<readonly Member[]> {
    return (await this.#ofKind(rows.MEMBERS, signal)).map(rows.member);
  }

  async beat(member: Omit<Member, 'beat' | 'bell'>, expiresAt: EpochMs, signal: AbortSignal): Promise<void> {
    const set = ['weight', 'draining', 'serves', 'unable', 'expiresAt'];
    const names = [...set, 'beat', 'bell'].map(name => [`#${name}`, name] as const);
    await this.#table.call(
      'UpdateItem',
      {
        TableName: this.#state.name,
        Key: rows.memberKey(member.worker),
        UpdateExpression: `SET ${set.map(name => `#${name} = :${name}`).join(', ')} ADD #beat :one, #bell :none`,
        ExpressionAttributeNames: Object.fromEntries(names),
        ExpressionAttributeValues: { ...rows.memberValues(member, expiresAt), ':one': { N: '1' }, ':none': { N: '0' } },
      },
      signal,
    );
  }

  async bell(worker: string, signal: AbortSignal): Promise<number | undefined> {
    const request = { TableName: this.#state.name, Key: rows.memberKey(worker), ConsistentRead: true };
    const { Item } = await this.#table.call('GetItem', request, signal);
    return Item && rows.member(Item).bell;
  }

  async ring(worker: string, signal: AbortSignal): Promise<void> {
    const request = {
      TableName: this.#state.name,
      Key: rows.memberKey(worker),
      UpdateExpression: 'ADD #bell :one',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: { '#bell': 'bell' },
      ExpressionAttributeValues: { ':one': { N: '1' } },
    };
    try {
      await this.#table.call('UpdateItem', request, signal);
    } catch (error) {
      // It has left.
      if (!(error instanceof ServiceFault) || error.class !== 'condition') throw error;
    }
  }

  async leave(worker: string, signal: AbortSignal): Promise<void> {
    await this.#table.call('DeleteItem', { TableName: this.#state.name, Key: rows.memberKey(worker) }, signal);
  }

  async #standing({ pipeline, sink, streamArn }: SinkStart, signal: AbortSignal): Promise<SinkStart> {
    const Key = rows.startKey(pipeline, sink, streamArn);
    const { Item } = await this.#table.call('GetItem', { TableName: this.#state.name, Key, ConsistentRead: true }, signal);
    if (Item === undefined) throw new Error(`the start row of sink ${pipeline}/${sink} was there and is gone`);
    return rows.sinkStart(pipeline, Item);
  }

  /** All rows of one kind, consistently, page by page. */
  async #ofKind(pk: string, signal: AbortSignal): Promise<readonly Item[]> {
    const query = {
      TableName: this.#state.name,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: pk } },
    };
    return allItems(from => this.#table.call('Query', { ...query, ...from }, signal));
  }
}
