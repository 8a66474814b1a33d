/**
 * Counts what requests to tables cost, by the service's published rules: a write costs a unit for each 1 KB of the larger of the item before and after
 * it (of what stands, when its condition fails), a consistent read a unit for each 4 KB, of an item or of a whole page; an eventually consistent one half.
 */
import type { Item } from '../../src/model/item.ts';
import type { TableApi, TableOperations } from '../../src/ports/table-api.ts';
import { itemBytes } from '../../src/replication/image.ts';
import type { FakeTables } from '../fakes/fake-table.ts';

export interface Count {
  calls: number;
  units: number;
}

export interface Capacity {
  readonly api: TableApi;
  /** By kind of request. */
  readonly reads: Map<string, Count>;
  readonly writes: Map<string, Count>;
}

type Request = { readonly TableName: string; readonly Key?: Item; readonly Item?: Item; readonly ConsistentRead?: boolean };

export const readUnits = (bytes: number, consistent: boolean): number => Math.max(1, Math.ceil(bytes / 4_096)) * (consistent ? 1 : 0.5);
export const writeUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / 1_024));

/** `kind`: what a request is told as. */
export function counted(tables: FakeTables, kind: (name: keyof TableOperations, request: Request) => string): Capacity {
  const reads = new Map<string, Count>();
  const writes = new Map<string, Count>();
  const standing = async ({ TableName, Key, Item }: Request, signal: AbortSignal): Promise<number> => {
    const keys = Key ?? Object.fromEntries(['leaseKey', 'pk', 'sk'].flatMap(name => (Item?.[name] ? [[name, Item[name]]] : [])));
    const { Item: item } = await tables.call('GetItem', { TableName, Key: keys }, signal);
    return item === undefined ? 0 : itemBytes(item);
  };
  const call: TableApi['call'] = async (name, request, signal) => {
    const asked = request as Request;
    if (name === 'PutItem' || name === 'UpdateItem' || name === 'DeleteItem') {
      const before = await standing(asked, signal);
      let after = 0;
      try {
        const answer = await tables.call(name, request, signal);
        after = name === 'DeleteItem' ? 0 : await standing(asked, signal);
        return answer;
      } finally {
        add(writes, kind(name, asked), writeUnits(Math.max(before, after)));
      }
    }
    const answer = await tables.call(name, request, signal);
    const items = itemsOf(answer);
    if (items !== undefined) {
      const bytes = items.reduce((sum, item) => sum + itemBytes(item), 0);
      add(reads, kind(name, asked), readUnits(bytes, asked.ConsistentRead === true));
    }
    return answer;
  };
  return { api: { call }, reads, writes };
}

/** Undefined for what does not read items: descriptions are free. */
function itemsOf(answer: object): readonly Item[] | undefined {
  if ('Items' in answer) return answer.Items as readonly Item[];
  if ('Item' in answer) return [answer.Item as Item];
  return Object.keys(answer).length === 0 ? [] : undefined;
}

function add(counts: Map<string, Count>, name: string, units: number): void {
  const count = counts.get(name) ?? { calls: 0, units: 0 };
  counts.set(name, count);
  count.calls += 1;
  count.units += units;
}
