/** Both twins of `TableApi` against DynamoDB Local: the contract each, and the same answers for the same requests. */
import { expect } from 'chai';
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { AwsOptions, TableApi, TableOperations } from '../../src/ports/table-api.ts';
import { canonical, describeTableApi, EVERYTHING, NEVER } from '../contract/table-api-suite.ts';
import { keptLog } from '../fakes/lease-world.ts';
import { startDynamoDb } from '../servers/dynamodb.ts';
import type { Server } from '../servers/server.ts';

const TableName = 'twin';
const Key = { pk: { S: 'every' } };
const REQUESTS: readonly (readonly [keyof TableOperations, object])[] = [
  [
    'CreateTable',
    {
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    },
  ],
  ['CreateTable', { TableName, BillingMode: 'PAY_PER_REQUEST', KeySchema: [], AttributeDefinitions: [] }],
  ['UpdateTable', { TableName, StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } }],
  ['UpdateTimeToLive', { TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: 'ttl' } }],
  ['DescribeTimeToLive', { TableName }],
  ['DescribeTable', { TableName }],
  ['PutItem', { TableName, Item: EVERYTHING }],
  ['PutItem', { TableName, Item: EVERYTHING, ReturnValues: 'ALL_OLD' }],
  [
    'PutItem',
    { TableName, Item: EVERYTHING, ConditionExpression: 'attribute_not_exists(pk)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' },
  ],
  ['PutItem', { TableName, Item: { pk: { N: '1' } } }],
  ['PutItem', { TableName, Item: { ...EVERYTHING, big: { S: 'x'.repeat(410_000) } } }],
  ['GetItem', { TableName, Key }],
  ['GetItem', { TableName, Key: { pk: { S: 'none' } } }],
  [
    'UpdateItem',
    {
      TableName,
      Key,
      UpdateExpression: 'REMOVE n SET b = :b',
      ExpressionAttributeValues: { ':b': { B: 'AQID' } },
      ReturnValues: 'ALL_NEW',
    },
  ],
  ['UpdateItem', { TableName, Key, UpdateExpression: 'SET nonsense' }],
  ['Scan', { TableName, ConsistentRead: true }],
  ['Query', { TableName, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: 'every' } } }],
  [
    'BatchWriteItem',
    { RequestItems: { [TableName]: [{ PutRequest: { Item: { pk: { S: 'w' } } } }, { DeleteRequest: { Key: { pk: { S: 'v' } } } }] } },
  ],
  ['BatchWriteItem', { RequestItems: { [TableName]: [{ DeleteRequest: { Key } }, { DeleteRequest: { Key } }] } }],
  ['BatchGetItem', { RequestItems: { [TableName]: { Keys: [Key] } } }],
  [
    'BatchExecuteStatement',
    {
      Statements: [
        {
          Statement: `INSERT INTO "${TableName}" VALUE {'pk': ?}`,
          Parameters: [{ S: 'every' }],
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        },
        {
          Statement: `UPDATE "${TableName}" SET b = ? WHERE pk = ? AND b = ?`,
          Parameters: [{ B: 'AQ==' }, { S: 'every' }, { B: 'AQID' }],
        },
      ],
    },
  ],
  ['BatchExecuteStatement', { Statements: [{ Statement: 'SELECT nonsense' }] }],
  [
    'TransactWriteItems',
    {
      TransactItems: [
        { Put: { TableName, Item: { pk: { S: 'x' } } } },
        { ConditionCheck: { TableName, Key, ConditionExpression: 'attribute_exists(nope)' } },
      ],
    },
  ],
  ['DeleteItem', { TableName, Key, ReturnValues: 'ALL_OLD' }],
  ['DescribeTable', { TableName: 'missing' }],
];

describe('tables by both clients', function () {
  this.timeout(120_000);
  let server: Server;
  let clients: AwsClients;
  /** Each access key has a database of its own. */
  const open = (client: 'fast' | 'sdk', accessKeyId: string): TableApi => {
    const options: AwsOptions = {
      endpoint: server.endpoint,
      region: 'us-east-1',
      client,
      credentials: { accessKeyId, secretAccessKey: 's' },
    };
    return clients.table(options);
  };

  before(async () => {
    server = await startDynamoDb();
    clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
  });
  after(async () => {
    await clients.close();
    await server.stop();
  });

  for (const client of ['fast', 'sdk'] as const) describeTableApi(client, async () => open(client, `contract${client}`));

  it('are answered alike', async () => {
    const [fast, sdk] = [open('fast', 'twinfast'), open('sdk', 'twinsdk')];
    for (const [operation, request] of REQUESTS) {
      const [one, other] = await Promise.all([outcome(fast, operation, request as never), outcome(sdk, operation, request as never)]);
      expect(one, `${operation} ${JSON.stringify(request)}`).to.deep.equal(other);
    }
  });
});

/** An answer without what differs from one database to another. */
async function outcome(table: TableApi, operation: keyof TableOperations, request: never): Promise<unknown> {
  try {
    const answer = await table.call(operation, request, NEVER);
    return JSON.parse(JSON.stringify(canonical(answer)), (name, value) =>
      /DateTime$|^TableId$|StreamLabel$|StreamArn$/.test(name) ? typeof value : value,
    );
  } catch (error) {
    if (!(error instanceof ServiceFault)) throw error;
    return { name: error.name, message: error.message, class: error.class, status: error.status, answer: canonical(error.answer) };
  }
}
