/** Tables of a test's own shape, and single items in them. */
import {
  type AttributeValue,
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type ScalarAttributeType,
  type StreamViewType,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { AwsPlace } from '../run/world-settings.ts';

export type Item = Record<string, AttributeValue>;
export type TablePlace = AwsPlace & { readonly table: string };

export interface TableShape {
  readonly hash?: { readonly name: string; readonly type: ScalarAttributeType };
  readonly range?: { readonly name: string; readonly type: ScalarAttributeType };
  /** Default: no stream. */
  readonly stream?: StreamViewType;
}

export async function makeTable(place: TablePlace, shape: TableShape = {}): Promise<void> {
  const { hash = { name: 'customer', type: 'S' }, range = shape.hash ? undefined : { name: 'order', type: 'S' }, stream } = shape;
  const keys = [hash, ...(range ? [range] : [])];
  await withClient(place, async client => {
    await client.send(
      new CreateTableCommand({
        TableName: place.table,
        KeySchema: keys.map(({ name }, i) => ({ AttributeName: name, KeyType: i === 0 ? 'HASH' : 'RANGE' })),
        AttributeDefinitions: keys.map(({ name, type }) => ({ AttributeName: name, AttributeType: type })),
        BillingMode: 'PAY_PER_REQUEST',
        ...(stream && { StreamSpecification: { StreamEnabled: true, StreamViewType: stream } }),
      }),
    );
    await waitUntilTableExists({ client, minDelay: 0.1, maxDelay: 0.5, maxWaitTime: 30 }, { TableName: place.table });
  });
}

export function putItems(place: TablePlace, items: readonly Item[]): Promise<void> {
  return withClient(place, async client => {
    for (const Item of items) await client.send(new PutItemCommand({ TableName: place.table, Item }));
  });
}

export function getItem(place: TablePlace, Key: Item): Promise<Item | undefined> {
  return withClient(
    place,
    async client => (await client.send(new GetItemCommand({ TableName: place.table, Key, ConsistentRead: true }))).Item,
  );
}

export async function withClient<T>({ region, endpoint, credentials }: AwsPlace, work: (client: DynamoDBClient) => Promise<T>): Promise<T> {
  const client = new DynamoDBClient({ region, endpoint, credentials });
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}
