/** Tables of a test's own shape, and single items in them. */
import {
  CreateTableCommand,
  DynamoDBClient,
  type ScalarAttributeType,
  type StreamViewType,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { AwsPlace } from '../run/world-settings.ts';

/** As JSON: binary is base64 text. */
export type WireItem = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
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

export async function putItems(place: TablePlace, items: readonly WireItem[]): Promise<void> {
  for (const Item of items) await onTheWire(place, 'PutItem', { TableName: place.table, Item });
}

export async function getItem(place: TablePlace, Key: WireItem): Promise<WireItem | undefined> {
  return (await onTheWire(place, 'GetItem', { TableName: place.table, Key, ConsistentRead: true })).Item;
}

/** Without the SDK, which loses attributes named `__proto__`. DynamoDB Local takes any signature. */
async function onTheWire(place: TablePlace, operation: string, body: object): Promise<{ Item?: WireItem }> {
  const scope = `${place.credentials.accessKeyId}/20260101/${place.region}/dynamodb/aws4_request`;
  const answer = await fetch(place.endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`,
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${operation}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

export async function withClient<T>({ region, endpoint, credentials }: AwsPlace, work: (client: DynamoDBClient) => Promise<T>): Promise<T> {
  const client = new DynamoDBClient({ region, endpoint, credentials });
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}
