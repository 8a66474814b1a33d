/**
 * The two PartiQL statements that the house writes, INSERT of one item and UPDATE of one item by its key, with what the service answers: an INSERT meets an
 * item as DuplicateItem, an UPDATE that finds no item or another as ConditionalCheckFailed.
 */
import type { AttributeValue, Item } from '../../src/model/item.ts';
import type { Statement, StatementError } from '../../src/ports/table-api.ts';
import { sameValue } from './fake-expressions.ts';

/** What the statements are run on. */
export interface StatementTarget {
  keyNames(table: string): readonly string[] | undefined;
  get(table: string, keys: Item): Item | undefined;
  put(table: string, item: Item): void;
}

export type Parsed =
  | { readonly is: 'insert'; readonly table: string; readonly keys: Item; readonly item: Item }
  | {
      readonly is: 'update';
      readonly table: string;
      readonly keys: Item;
      readonly set: Item;
      readonly remove: readonly string[];
      readonly where: readonly { readonly path: readonly string[]; readonly value: AttributeValue }[];
    };

const LONGEST = 8_192;

/** Undefined error: done. */
export function runStatement(statement: Parsed, target: StatementTarget): StatementError | undefined {
  const held = target.get(statement.table, statement.keys);
  if (statement.is === 'insert') {
    if (held) return { Code: 'DuplicateItem', Message: 'Duplicate primary key exists in table' };
    target.put(statement.table, statement.item);
    return undefined;
  }
  const met = held !== undefined && statement.where.every(({ path, value }) => sameValue(valueAt(held, path), value));
  if (!met) return { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' };
  const kept = Object.fromEntries(Object.entries(held).filter(([name]) => !statement.remove.includes(name)));
  target.put(statement.table, { ...kept, ...statement.set });
  return undefined;
}

/** Throws what makes the service refuse the statement. */
export function parseStatement({ Statement: text, Parameters = [] }: Statement, target: StatementTarget): Parsed {
  if (text.length > LONGEST) throw new Error('Member must have length less than or equal to 8192');
  const values = [...Parameters];
  const insert = /^INSERT INTO "([^"]+)" VALUE \{(.*)\}$/s.exec(text);
  const parsed = insert ? parseInsert(insert, values, target) : parseUpdate(text, values, target);
  if (values.length > 0) throw new Error('Number of parameters in request and statement do not match.');
  return parsed;
}

function parseInsert([, table = '', fields = '']: RegExpExecArray, values: AttributeValue[], target: StatementTarget): Parsed {
  const names = [...fields.matchAll(/'((?:[^']|'')*)'\s*:\s*\?/g)].map(([, name = '']) => name.replaceAll("''", "'"));
  const item = Object.fromEntries(names.map(name => [name, taken(values)]));
  return { is: 'insert', table, keys: pick(item, keyNamesOf(table, target)), item };
}

function parseUpdate(text: string, values: AttributeValue[], target: StatementTarget): Parsed {
  const [, table, changes, condition] = /^UPDATE "([^"]+)" (.*) WHERE (.*)$/s.exec(text) ?? [];
  if (table === undefined || changes === undefined || condition === undefined) throw new Error(`Statement wasn't well formed: ${text}`);
  const set = Object.fromEntries([...changes.matchAll(/SET ("(?:[^"]|"")*")=\?/g)].map(([, name = '']) => [plain(name), taken(values)]));
  const remove = [...changes.matchAll(/REMOVE ("(?:[^"]|"")*")/g)].map(([, name = '']) => plain(name));
  const where = condition.split(' AND ').map(each => ({
    path: [...each.replace(/=\?$/, '').matchAll(/"(?:[^"]|"")*"/g)].map(([name]) => plain(name)),
    value: taken(values),
  }));
  const keyNames = keyNamesOf(table, target);
  const keys = Object.fromEntries(
    where.flatMap(({ path, value }) => (path.length === 1 && keyNames.includes(path[0] ?? '') ? [[path[0] ?? '', value]] : [])),
  );
  if (Object.keys(keys).length < keyNames.length)
    throw new Error('Where clause does not contain a mandatory equality on all key attributes');
  return { is: 'update', table, keys, set, remove, where };
}

function keyNamesOf(table: string, target: StatementTarget): readonly string[] {
  const names = target.keyNames(table);
  if (!names) throw Object.assign(new Error('Cannot do operations on a non-existent table'), { code: 'ResourceNotFound' });
  return names;
}

function taken(values: AttributeValue[]): AttributeValue {
  const value = values.shift();
  if (value === undefined) throw new Error('Number of parameters in request and statement do not match.');
  return value;
}

function plain(quoted: string): string {
  return quoted.slice(1, -1).replaceAll('""', '"');
}

function pick(item: Item, names: readonly string[]): Item {
  return Object.fromEntries(names.flatMap(name => (Object.hasOwn(item, name) ? [[name, item[name] as AttributeValue]] : [])));
}

function valueAt(item: Item, path: readonly string[]): AttributeValue | undefined {
  let value: AttributeValue | undefined = { M: item };
  for (const name of path) value = value !== undefined && 'M' in value && Object.hasOwn(value.M, name) ? value.M[name] : undefined;
  return value;
}
