/**
 * The writer of `writes: batch`: BatchWriteItem, 25 items to a call, as they are, without conditions. A batch that is refused as a whole is written one by
 * one, so that the one bad item is found and its neighbours are not held up.
 */
import { keyOf } from '../../src/model/key.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { TableApi, WriteRequest } from '../../src/ports/table-api.ts';
import { type Outcome, outcomeOf, outcomeOfPut, WRITTEN } from './outcomes.ts';
import type { Work, Writer } from './work.ts';

const ITEMS_PER_CALL = 25;
/** The service takes 16 MB in one call. */
const CALL_BYTES = 8 * 1024 * 1024;

const UNPROCESSED: Outcome = { is: 'failed', disposition: 'retry', reason: 'dynamodb:BatchWriteItem left it unprocessed', throttled: true };

export function plainWriter(api: TableApi): Writer {
  return {
    write: async (work, signal) => {
      const outcomes = new Map<Work, Outcome>();
      await Promise.all(
        groupsOf(work).map(async group => {
          const answers = await writeGroup(api, group, signal);
          for (const [i, each] of group.entries()) outcomes.set(each, answers[i] ?? UNPROCESSED);
        }),
      );
      return work.map(each => outcomes.get(each) ?? UNPROCESSED);
    },
  };
}

async function writeGroup(api: TableApi, group: readonly Work[], signal: AbortSignal): Promise<readonly Outcome[]> {
  const table = group[0]?.target.table ?? '';
  try {
    const { UnprocessedItems = {} } = await api.call(
      'BatchWriteItem',
      { RequestItems: Object.fromEntries([[table, group.map(requestOf)]]) },
      signal,
    );
    const left = new Set((UnprocessedItems[table] ?? []).map(request => keyOfRequest(request, group)));
    return group.map(({ change }) => (left.has(change.record.key) ? UNPROCESSED : WRITTEN));
  } catch (error) {
    if (error instanceof ServiceFault && error.class === 'invalid') return Promise.all(group.map(each => writeAlone(api, each, signal)));
    return group.map(() => outcomeOf(error, { action: 'BatchWriteItem', table }));
  }
}

async function writeAlone(api: TableApi, { change, target: { table } }: Work, signal: AbortSignal): Promise<Outcome> {
  const { reading, record } = change;
  try {
    if (reading.is === 'put') await api.call('PutItem', { TableName: table, Item: reading.image }, signal);
    else await api.call('DeleteItem', { TableName: table, Key: record.keys }, signal);
    return WRITTEN;
  } catch (error) {
    return reading.is === 'put'
      ? outcomeOfPut(error, reading.image, { action: 'PutItem', table })
      : outcomeOf(error, { action: 'DeleteItem', table });
  }
}

function requestOf({ change: { reading, record } }: Work): WriteRequest {
  return reading.is === 'put' ? { PutRequest: { Item: reading.image } } : { DeleteRequest: { Key: record.keys } };
}

function keyOfRequest(request: WriteRequest, group: readonly Work[]): string {
  const keyNames = group[0]?.target.keyNames ?? [''];
  return keyOf('PutRequest' in request ? request.PutRequest.Item : request.DeleteRequest.Key, keyNames);
}

/** Of one table each. */
function groupsOf(work: readonly Work[]): Work[][] {
  const groups: Work[][] = [];
  let bytes = 0;
  for (const each of work) {
    const last = groups.at(-1);
    const size = each.change.record.bytes;
    if (last && last.length < ITEMS_PER_CALL && bytes + size <= CALL_BYTES && last[0]?.target === each.target) {
      last.push(each);
      bytes += size;
    } else {
      groups.push([each]);
      bytes = size;
    }
  }
  return groups;
}
