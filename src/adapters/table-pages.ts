/** Follows a Scan or a Query page by page to its end. */
import type { Item } from '../model/item.ts';

interface TablePage {
  readonly Items: readonly Item[];
  readonly LastEvaluatedKey?: Item;
}

type Ask = (from: { readonly ExclusiveStartKey?: Item }) => Promise<TablePage>;

/** `ask`: for the page that begins after a key, or for the first one. */
export async function* tablePages(ask: Ask): AsyncGenerator<readonly Item[]> {
  let last: Item | undefined;
  do {
    const page = await ask(last === undefined ? {} : { ExclusiveStartKey: last });
    yield page.Items;
    last = page.LastEvaluatedKey;
  } while (last !== undefined);
}

export async function allItems(ask: Ask): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const page of tablePages(ask)) items.push(...page);
  return items;
}
