/** Makes, on local servers, the table with its stream and what the sinks write to. On AWS these are the user's own. */
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { CreateStreamCommand, KinesisClient, waitUntilStreamExists } from '@aws-sdk/client-kinesis';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { makeTopic } from '../servers/kafka-admin.ts';
import type { Places } from './world-settings.ts';

/** An order's key: the orders of one customer lie together. */
export const ORDER_KEY = { hash: 'customer', range: 'order' } as const;

const KINESIS_SHARDS = 2;
const KAFKA_PARTITIONS = 3;
const WAIT = { minDelay: 0.1, maxDelay: 0.5, maxWaitTime: 30 } as const;

export async function makeTargets(places: Places): Promise<void> {
  await Promise.all([
    makeTable(places.source, 'streamed'),
    makeTable(places.replica, 'plain'),
    makeStream(places.kinesis),
    places.kafka && makeTopic(places.kafka.brokers, { topic: places.kafka.topic, numPartitions: KAFKA_PARTITIONS }),
    places.s3 && makeBucket(places.s3),
  ]);
}

async function makeTable(place: Places['source'], kind: 'streamed' | 'plain'): Promise<void> {
  const { table: TableName, region, endpoint, credentials } = place;
  const client = new DynamoDBClient({ region, endpoint, credentials });
  const { hash, range } = ORDER_KEY;
  await client.send(
    new CreateTableCommand({
      TableName,
      KeySchema: [
        { AttributeName: hash, KeyType: 'HASH' },
        { AttributeName: range, KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [hash, range].map(AttributeName => ({ AttributeName, AttributeType: 'S' })),
      BillingMode: 'PAY_PER_REQUEST',
      ...(kind === 'streamed' && { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } }),
    }),
  );
  await waitUntilTableExists({ client, ...WAIT }, { TableName });
  client.destroy();
}

async function makeStream({ stream: StreamName, region, endpoint, credentials }: Places['kinesis']): Promise<void> {
  // The default handler speaks HTTP/2, which the local server does not.
  const client = new KinesisClient({ region, endpoint, credentials, requestHandler: new NodeHttpHandler() });
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: KINESIS_SHARDS }));
  await waitUntilStreamExists({ client, ...WAIT }, { StreamName });
  client.destroy();
}

async function makeBucket({ bucket, region, endpoint, credentials }: NonNullable<Places['s3']>): Promise<void> {
  const client = new S3Client({ region, endpoint, credentials, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
}
