/** The control table in DynamoDB: `pk`, `sk`, both text, and `expiresAt` for rows that are only rubbish after a while. */
import type { Item } from '../model/item.ts';
import type { Ms } from '../model/units.ts';
import type { ControlStore } from '../ports/control-store.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import * as rows from './control-store-rows.ts';
import { prepareStateTable, type StateTable } from './state-table.ts';
import { timedTable } from './timed-table.ts';

const CALL_MS: Ms = 3_000;

export function controlStore(state: StateTable): ControlStore {
  const TableName = state.name;
  const table = timedTable(state.table, state.clock, CALL_MS);

  async function ofKind(pk: string, signal: AbortSignal): Promise<readonly Item[]> {
    const items: Item[] = [];
    let from: Item | undefined;
    do {
      const page = await table.call(
        'Query',
        {
          TableName,
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: pk } },
          ...(from && { ExclusiveStartKey: from }),
        },
        signal,
      );
      items.push(...page.Items);
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return items;
  }

  return {
    prepare: signal => prepareStateTable({ ...state, table }, { key: ['pk', 'sk'], ttl: 'expiresAt' }, signal),

    async sinkStarts(pipeline, signal) {
      return (await ofKind(rows.startsOf(pipeline), signal)).map(item => rows.sinkStart(pipeline, item));
    },

    async createSinkStart(start, signal) {
      const item = rows.startItem(start);
      try {
        await table.call('PutItem', { TableName, Item: item, ConditionExpression: 'attribute_not_exists(pk)' }, signal);
        return { start, created: true };
      } catch (error) {
        if (!(error instanceof ServiceFault) || error.class !== 'condition') throw error;
      }
      const Key = Object.fromEntries(Object.entries(item).filter(([name]) => name === 'pk' || name === 'sk'));
      const { Item } = await table.call('GetItem', { TableName, Key, ConsistentRead: true }, signal);
      if (Item === undefined) throw new Error(`the start row of sink ${start.pipeline}/${start.sink} was there and is gone`);
      return { start: rows.sinkStart(start.pipeline, Item), created: false };
    },

    async sinkRequests(signal) {
      return (await ofKind(rows.REQUESTS, signal)).map(rows.sinkRequest);
    },

    async ask(pipeline, sink, paused, signal) {
      await table.call(
        'UpdateItem',
        {
          TableName,
          Key: rows.requestKey(pipeline, sink),
          UpdateExpression: 'SET #pipeline = :pipeline, #sink = :sink, #paused = :paused ADD #asked :one',
          ExpressionAttributeNames: { '#pipeline': 'pipeline', '#sink': 'sink', '#paused': 'paused', '#asked': 'asked' },
          ExpressionAttributeValues: {
            ':pipeline': { S: pipeline },
            ':sink': { S: sink },
            ':paused': { BOOL: paused },
            ':one': { N: '1' },
          },
        },
        signal,
      );
    },

    async addGap(row, signal) {
      const attributes = rows.gapAttributes(row);
      await table.call(
        'UpdateItem',
        {
          TableName,
          Key: rows.gapKey(row),
          UpdateExpression: `SET ${attributes.map((_, at) => `#a${at} = :a${at}`).join(', ')} ADD #sinks :sinks`,
          ExpressionAttributeNames: { '#sinks': 'sinks', ...Object.fromEntries(attributes.map(([name], at) => [`#a${at}`, name])) },
          ExpressionAttributeValues: {
            ':sinks': { SS: row.sinks },
            ...Object.fromEntries(attributes.map(([, value], at) => [`:a${at}`, value])),
          },
        },
        signal,
      );
    },

    async gaps(pipeline, signal) {
      return (await ofKind(rows.gapsOf(pipeline), signal)).map(item => rows.gapRow(pipeline, item));
    },

    async streams(pipeline, signal) {
      const streams = (await ofKind(rows.streamsOf(pipeline), signal)).map(item => rows.streamRow(pipeline, item));
      return streams.sort((a, b) => a.firstSeenAt - b.firstSeenAt);
    },

    async putStream(row, signal) {
      await table.call('PutItem', { TableName, Item: rows.streamItem(row) }, signal);
    },
  };
}
