/** The contract suite of connectors, against DynamoDB Local behind a proxy, through the clients that the daemon uses. */
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { describeSink } from '../../test/contract/describe-sink.ts';
import type { SinkTarget } from '../../test/contract/sink/suite.ts';
import { keptLog } from '../../test/fakes/lease-world.ts';
import { createSuiteTable, promisesOf, REPLICA_MODES, readItems, versionOfSuite } from '../../test/fakes/replica-suite.ts';
import { startDynamoDb } from '../../test/servers/dynamodb.ts';
import { type FaultyProxy, startProxy } from '../../test/servers/proxy.ts';
import type { Server } from '../../test/servers/server.ts';
import replica from './index.ts';

const REGION = 'eu-west-1';
const CREDENTIALS = { accessKeyId: 'replica', secretAccessKey: 'x' };

let server: Server;
let proxy: FaultyProxy;
let clients: AwsClients;
let direct: TableApi;
let targets = 0;

const CANNOT = {
  throttle: 'DynamoDB Local never throttles; the fake does',
  failRecords: 'DynamoDB Local never fails some of a batch; the fake does',
  deny: 'DynamoDB Local knows no permissions; the fake denies',
};

async function freshTable(options: object, client: 'fast' | 'sdk'): Promise<SinkTarget> {
  targets += 1;
  const table = `copy-${targets}`;
  await createSuiteTable(direct, table);
  return {
    options: { table, region: REGION, endpoint: proxy.endpoint, credentials: CREDENTIALS, client, ...options },
    host: { table: each => clients.table(each) },
    resource: table,
    readBack: () => readItems(direct, table),
    faults: {
      hang: () => proxy.mode('hang'),
      refuse: () => proxy.mode('refuse'),
      loseAnswers: () => proxy.mode('drop-answers'),
      remove: () => deleteTable(table),
    },
    heal: async () => {
      // Old connections end first: what the proxy held of them is not to arrive.
      await proxy.mode('reset');
      await proxy.mode('pass');
      await createSuiteTable(direct, table).catch(() => {});
    },
  };
}

/** Not among the operations that the house needs. DynamoDB Local checks no signature, but tells databases apart by what it names. */
async function deleteTable(TableName: string): Promise<void> {
  const credential = `${CREDENTIALS.accessKeyId}/20260101/${REGION}/dynamodb/aws4_request`;
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'DynamoDB_20120810.DeleteTable',
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0`,
  };
  const answer = await fetch(server.endpoint, { method: 'POST', headers, body: JSON.stringify({ TableName }) });
  if (!answer.ok) throw new Error(await answer.text());
}

describe('replica, DynamoDB Local', function () {
  this.timeout(180_000);
  before(async () => {
    server = await startDynamoDb();
    proxy = await startProxy(server.port);
    clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
    direct = clients.table({ region: REGION, endpoint: server.endpoint, credentials: CREDENTIALS });
  });
  after(async () => {
    await clients?.close();
    await proxy?.stop();
    await server?.stop();
  });

  for (const [name, options] of Object.entries(REPLICA_MODES)) {
    for (const client of name === 'mirror' ? (['fast', 'sdk'] as const) : (['fast'] as const)) {
      describeSink(`replica (${name}, ${client})`, {
        connector: replica,
        sample: { table: 'copy', ...options },
        target: () => freshTable(options, client),
        promises: promisesOf(name),
        cannot: CANNOT,
        quietMs: 50,
        ...(name === 'version' && { attributes: versionOfSuite }),
      });
    }
  }
});
