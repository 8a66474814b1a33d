/** The images that targets hold, as JSON text says them, whatever the items look like. */
import { gunzipSync } from 'node:zlib';
import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient, ListShardsCommand } from '@aws-sdk/client-kinesis';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import kafkajs from 'kafkajs';
import type { Shop } from './shop.ts';

export interface Delivered {
  readonly target: 'Kinesis' | 'Kafka' | 'archive';
  readonly before: unknown;
  readonly after: unknown;
}

export async function deliveredItems({ places }: Shop): Promise<readonly Delivered[]> {
  const all = await Promise.all([inKinesis(places.kinesis), inKafka(places.kafka), inArchive(places.s3)]);
  return all.flat();
}

async function inKinesis({ stream: StreamName, ...place }: Shop['places']['kinesis']): Promise<Delivered[]> {
  const client = new KinesisClient({ ...place, requestHandler: new NodeHttpHandler() });
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }));
  const all: Delivered[] = [];
  for (const { ShardId } of Shards) {
    const { ShardIterator } = await client.send(new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }));
    const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator, Limit: 1000 }));
    for (const { Data } of Records) {
      const { OldImage, NewImage } = JSON.parse(Buffer.from(Data ?? []).toString()).dynamodb;
      all.push({ target: 'Kinesis', before: OldImage, after: NewImage });
    }
  }
  client.destroy();
  return all;
}

/** Reads to the end that the topic has now. */
async function inKafka({ brokers, topic }: Shop['places']['kafka']): Promise<Delivered[]> {
  const kafka = new kafkajs.Kafka({ clientId: 'e2e', brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const left = new Map(ends.filter(({ high }) => high !== '0').map(({ partition, high }) => [partition, BigInt(high)]));
  const consumer = kafka.consumer({ groupId: `e2e-${topic}-${Math.random()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const all: Delivered[] = [];
  await new Promise<void>(resolve => {
    if (left.size === 0) resolve();
    consumer.run({
      eachMessage: async ({ partition, message }) => {
        const { before, after } = message.value === null ? {} : JSON.parse(message.value.toString());
        if (message.value !== null) all.push({ target: 'Kafka', before: before ?? undefined, after: after ?? undefined });
        if (BigInt(message.offset) + 1n >= (left.get(partition) ?? 0n)) left.delete(partition);
        if (left.size === 0) resolve();
      },
    });
  });
  await consumer.disconnect();
  return all;
}

async function inArchive({ bucket, prefix, ...place }: Shop['places']['s3']): Promise<Delivered[]> {
  const client = new S3Client({ ...place, forcePathStyle: true });
  const all: Delivered[] = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: `${prefix}/` })) {
    for (const { Key = '' } of page.Contents ?? []) {
      if (!Key.endsWith('.json.gz')) continue;
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
      const text = gunzipSync((await Body?.transformToByteArray()) ?? new Uint8Array()).toString();
      for (const line of text.split('\n').filter(Boolean)) {
        const { OldImage, NewImage } = JSON.parse(line);
        all.push({ target: 'archive', before: OldImage, after: NewImage });
      }
    }
  }
  client.destroy();
  return all;
}
