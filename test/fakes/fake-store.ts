/**
 * What the fake of DynamoDB's tables keeps, and the checks that every write passes: keys, sizes, conditions.
 */
import type { Item } from '../../src/model/item.ts';
import { type KeyNames, keyOf } from '../../src/model/key.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { TableDescription } from '../../src/ports/table-api.ts';
import { ITEM_LIMIT_BYTES, itemBytes } from '../../src/replication/image.ts';
import { type Bound, checkUsed, holds, invalid } from './fake-expressions.ts';

export interface Guard extends Bound {
  readonly ConditionExpression?: string;
  readonly ReturnValuesOnConditionCheckFailure?: 'ALL_OLD' | 'NONE';
}

export interface FakeRows {
  readonly description: TableDescription;
  readonly keyNames: KeyNames;
  readonly rows: Map<string, Item>;
  expires: boolean;
}

export class FakeStore {
  readonly tables = new Map<string, FakeRows>();

  table(name: string): FakeRows {
    const table = this.tables.get(name);
    if (table) return table;
    throw new ServiceFault('ResourceNotFoundException', 'Cannot do operations on a non-existent table', { class: 'missing', status: 400 });
  }

  keyNames(name: string): KeyNames | undefined {
    return this.tables.get(name)?.keyNames;
  }

  keyOf(name: string, item: Item): string {
    const { keyNames } = this.table(name);
    for (const each of keyNames) {
      const value = item[each];
      if (value === undefined) throw invalid(`One of the required keys was not given a value: ${each}`);
      if (('S' in value && value.S === '') || ('B' in value && value.B === ''))
        throw invalid('a key attribute cannot contain an empty string value');
    }
    return keyOf(item, keyNames);
  }

  get(name: string, keys: Item): Item | undefined {
    return this.table(name).rows.get(this.keyOf(name, keys));
  }

  put(name: string, item: Item): void {
    if (itemBytes(item) > ITEM_LIMIT_BYTES) throw invalid('Item size has exceeded the maximum allowed size');
    this.table(name).rows.set(this.keyOf(name, item), item);
  }

  remove(name: string, keys: Item): void {
    this.table(name).rows.delete(this.keyOf(name, keys));
  }

  /** Throws what the service answers when the condition does not hold. */
  check(guard: Guard, item: Item | undefined): void {
    checkUsed([guard.ConditionExpression], guard);
    if (holds(guard.ConditionExpression, item, guard)) return;
    const answer = guard.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && item ? { Item: item } : {};
    throw new ServiceFault('ConditionalCheckFailedException', 'The conditional request failed', {
      class: 'condition',
      status: 400,
      answer,
    });
  }
}
