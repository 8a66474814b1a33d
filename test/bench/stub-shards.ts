/**
 * A table with thousands of idle shards, and state tables, over real HTTP in a process of its own. `stub-shards.ts SHARDS GENERATIONS`: so many open
 * shards, each with so many ancestors that have ended. Prints its port; `GET /` tells how often each operation was asked for.
 */
import { createServer } from 'node:http';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { TableOperations } from '../../src/ports/table-api.ts';
import { fakeTables } from '../fakes/fake-table.ts';
import { NEVER } from '../fakes/lease-world.ts';

const [shards, generations] = process.argv.slice(2).map(Number) as [number, number];
const ROLL_MS = 4 * 3_600_000;
const PAGE_SHARDS = 100;
const STREAM = 'arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-01-01T00:00:00.000';
const startedAt = Date.now();

const shardId = (generation: number, n: number) =>
  `shardId-${String(startedAt - (generations - generation) * ROLL_MS).padStart(20, '0')}-${n.toString(16).padStart(8, '0')}`;
const token = (generation: number) => String(10n ** 20n + BigInt(generation));
const listing = Array.from({ length: (generations + 1) * shards }, (_, at) => {
  const [generation, n] = [Math.floor(at / shards), at % shards];
  return {
    ShardId: shardId(generation, n),
    ...(generation > 0 && { ParentShardId: shardId(generation - 1, n) }),
    SequenceNumberRange: {
      StartingSequenceNumber: token(generation),
      ...(generation < generations && { EndingSequenceNumber: token(generation + 1) }),
    },
  };
});
const placeOf = new Map(listing.map(({ ShardId }, at) => [ShardId, at]));
const tables = fakeTables({ scanRows: 1_600 });
const counts: Record<string, number> = {};

const KEY = { KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }] };
const ORDERS = {
  ...KEY,
  TableName: 'orders',
  TableArn: STREAM.replace(/\/stream.*/, ''),
  TableId: 'orders-id',
  TableStatus: 'ACTIVE',
  LatestStreamArn: STREAM,
  StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
};

interface Asked {
  readonly TableName?: string;
  readonly ExclusiveStartShardId?: string;
  readonly ShardFilter?: { readonly ShardId: string };
}

function describeStream({ ExclusiveStartShardId: after, ShardFilter: filter }: Asked) {
  const from = after === undefined ? 0 : (placeOf.get(after) ?? 0) + 1;
  const page = filter ? listing.filter(shard => shard.ParentShardId === filter.ShardId) : listing.slice(from, from + PAGE_SHARDS);
  const more = !filter && from + PAGE_SHARDS < listing.length;
  const StreamDescription = {
    ...{ StreamArn: STREAM, StreamLabel: STREAM.split('/').at(-1), TableName: 'orders', StreamStatus: 'ENABLED' },
    ...{ StreamViewType: 'NEW_AND_OLD_IMAGES', KeySchema: KEY.KeySchema, Shards: page },
    ...(more && { LastEvaluatedShardId: page.at(-1)?.ShardId }),
  };
  return { StreamDescription };
}

async function answer(operation: string, asked: Asked): Promise<object> {
  if (operation === 'GetRecords') return { Records: [], NextShardIterator: 'next' };
  if (operation === 'GetShardIterator') return { ShardIterator: 'first' };
  if (operation === 'DescribeStream') return describeStream(asked);
  if (operation === 'DescribeTable' && asked.TableName === 'orders') return { Table: ORDERS };
  return tables.call(operation as keyof TableOperations, asked as never, NEVER);
}

const server = createServer((request, response) => {
  if (request.method === 'GET') return void response.end(JSON.stringify(counts));
  const chunks: Buffer[] = [];
  request.on('data', chunk => chunks.push(chunk));
  request.on('end', async () => {
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    counts[operation] = (counts[operation] ?? 0) + 1;
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    try {
      response.end(JSON.stringify(await answer(operation, JSON.parse(Buffer.concat(chunks).toString()))));
    } catch (error) {
      const fault =
        error instanceof ServiceFault ? error : new ServiceFault('InternalFailure', String(error), { class: 'server', status: 500 });
      response.statusCode = fault.status ?? 400;
      response.end(JSON.stringify({ __type: `stub#${fault.name}`, message: fault.message, ...fault.answer }));
    }
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' ? address?.port : '');
});
