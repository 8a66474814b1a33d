/** What an UpdateExpression makes of an item: `SET #a = :a, …`, `REMOVE #b, …` and `ADD #c :c, …`, each once at most, of top attributes. */
import type { AttributeValue, Item } from '../../src/model/item.ts';
import { type Bound, invalid } from './fake-expressions.ts';

const CLAUSE = /(SET|REMOVE|ADD) (.*?)(?= (?:SET|REMOVE|ADD) |$)/g;

export function updated(item: Item, expression: string, bound: Bound): Item {
  const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } = bound;
  const after = new Map(Object.entries(item));
  const given = (place = '') => {
    const value = values[place];
    if (value === undefined) throw invalid(`An expression attribute value used in expression is not defined: ${place}`);
    return value;
  };
  for (const [, clause, parts = ''] of expression.matchAll(CLAUSE)) {
    for (const part of parts.split(',')) {
      const [place = '', ...more] = part.trim().split(/[ =]+/);
      const name = names[place] ?? place;
      if (clause === 'REMOVE') after.delete(name);
      else if (clause === 'SET') after.set(name, given(more[0]));
      else after.set(name, sum(after.get(name), given(more[0])));
    }
  }
  return Object.fromEntries(after);
}

function sum(before: AttributeValue | undefined, more: AttributeValue): AttributeValue {
  if (before === undefined) return more;
  if ('N' in before && 'N' in more) return { N: String(Number(before.N) + Number(more.N)) };
  if ('SS' in before && 'SS' in more) return { SS: [...new Set([...before.SS, ...more.SS])] };
  throw invalid('An operand in the update expression has an incorrect data type');
}
