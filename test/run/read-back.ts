/** Reads what the targets of the local world hold, as any consumer would: with the services' own clients, knowing nothing of the daemon. */
import { gunzipSync } from 'node:zlib';
import { type AttributeValue, DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient, ListShardsCommand } from '@aws-sdk/client-kinesis';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import kafkajs from 'kafkajs';
import type { AwsPlace, Places } from './world-settings.ts';

/** A change as a target shows it. */
export interface Seen {
  /** `customer/order`. */
  readonly key: string;
  /** As in the writer's history: `3`, or `4d`. */
  readonly change: string;
  readonly writtenAt: number;
  /** When the target had it, epoch ms, where the target says so. */
  readonly at: number | undefined;
}

type Typed = Record<string, AttributeValue>;

interface Images {
  readonly before: Typed | null | undefined;
  readonly after: Typed | null | undefined;
}

/** The change that two images are; images are DynamoDB JSON. */
function seen({ before, after }: Images, at: number | undefined): Seen {
  const image = after ?? before;
  if (!image) throw new Error('a change without images');
  const text = (name: string) => String(image[name]?.S ?? image[name]?.N ?? '');
  const removed = after ? '' : 'd';
  return { key: `${text('customer')}/${text('order')}`, change: `${text('seq')}${removed}`, writtenAt: Number(text('writtenAt')), at };
}

export async function readTable({ table, ...place }: AwsPlace & { table: string }): Promise<Map<string, Typed>> {
  const client = new DynamoDBClient(place);
  const items = new Map<string, Typed>();
  for await (const page of paginateScan({ client }, { TableName: table, ConsistentRead: true })) {
    for (const item of page.Items ?? []) items.set(`${item['customer']?.S}/${item['order']?.S}`, item);
  }
  client.destroy();
  return items;
}

export async function readKinesis({ stream, ...place }: Places['kinesis']): Promise<Seen[]> {
  const client = new KinesisClient({ ...place, requestHandler: new NodeHttpHandler() });
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }));
  const all: Seen[] = [];
  for (const { ShardId } of Shards) {
    let { ShardIterator } = await client.send(
      new GetShardIteratorCommand({ StreamName: stream, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
    );
    for (let empty = 0; ShardIterator !== undefined && empty < 3; ) {
      const page = await client.send(new GetRecordsCommand({ ShardIterator, Limit: 5000 }));
      for (const { Data, ApproximateArrivalTimestamp } of page.Records ?? []) {
        const { dynamodb } = JSON.parse(Buffer.from(Data ?? []).toString());
        all.push(seen({ before: dynamodb.OldImage, after: dynamodb.NewImage }, ApproximateArrivalTimestamp?.getTime()));
      }
      empty = page.Records?.length ? 0 : empty + 1;
      ShardIterator = page.NextShardIterator;
    }
  }
  client.destroy();
  return all;
}

export interface KafkaWatch {
  readonly seen: readonly Seen[];
  /** Waits until everything that is in the topic now has been read, then leaves. */
  finish(): Promise<readonly Seen[]>;
  /** Leaves at once. */
  leave(): Promise<void>;
}

/** Consumes the topic from its start, from now on, as an ordinary consumer. */
export async function watchKafka({ brokers, topic }: NonNullable<Places['kafka']>): Promise<KafkaWatch> {
  const kafka = new kafkajs.Kafka({ clientId: 'demo-check', brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
  const all: Seen[] = [];
  const next = new Map<number, bigint>();
  const consumer = kafka.consumer({ groupId: `demo-check-${process.pid}-${topic}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch }) => {
      const now = Date.now();
      for (const { value, offset } of batch.messages) {
        next.set(batch.partition, BigInt(offset) + 1n);
        if (value === null) continue;
        const envelope = JSON.parse(value.toString());
        const { before, after } = envelope.payload ?? envelope;
        all.push(seen({ before, after }, now));
      }
    },
  });
  return {
    seen: all,
    async finish() {
      const admin = kafka.admin();
      await admin.connect();
      const ends = await admin.fetchTopicOffsets(topic);
      await admin.disconnect();
      const until = Date.now() + 60_000;
      const behind = () => ends.some(({ partition, high }) => (next.get(partition) ?? 0n) < BigInt(high));
      while (behind() && Date.now() < until) await new Promise(resolve => setTimeout(resolve, 50));
      if (behind()) throw new Error('the topic could not be read to its end within 60 s');
      await consumer.disconnect();
      return all;
    },
    leave: () => consumer.disconnect(),
  };
}

export async function readArchive({ bucket, prefix, ...place }: NonNullable<Places['s3']>): Promise<Seen[]> {
  const client = new S3Client({ ...place, forcePathStyle: true });
  const all: Seen[] = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: `${prefix}/` })) {
    for (const { Key = '', LastModified } of page.Contents ?? []) {
      if (!Key.endsWith('.json.gz')) continue;
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
      const text = gunzipSync((await Body?.transformToByteArray()) ?? new Uint8Array()).toString();
      for (const line of text.split('\n').filter(Boolean)) {
        const { OldImage, NewImage } = JSON.parse(line);
        all.push(seen({ before: OldImage, after: NewImage }, LastModified?.getTime()));
      }
    }
  }
  client.destroy();
  return all;
}
