/** Each test server starts, does its smallest job, and leaves nothing behind; also when the process that started it is killed. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { KinesisClient, ListStreamsCommand } from '@aws-sdk/client-kinesis';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { expect } from 'chai';
import { Kafka, logLevel } from 'kafkajs';
import { startDynamoDb } from '../servers/dynamodb.ts';
import { startKafka } from '../servers/kafka.ts';
import { makeTopic, withAdmin } from '../servers/kafka-admin.ts';
import { startKinesis } from '../servers/kinesis.ts';
import { answers } from '../servers/ports.ts';
import { startS3 } from '../servers/s3.ts';
import type { Server } from '../servers/server.ts';
import { startServer } from '../servers/server.ts';

const aws = (endpoint: string) => ({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });

async function using<T extends Server>(starting: Promise<T>, job: (server: T) => Promise<void>): Promise<void> {
  const server = await starting;
  try {
    await job(server);
  } finally {
    await server.stop();
  }
  expect(await answers(server.port), 'answers after stop').equals(false);
  expect(existsSync(dirname(server.logFile)), 'folder after stop').equals(false);
}

describe('test servers', () => {
  for (const version of ['3.3.0', '1.25.1', 'dynoxide'] as const) {
    it(`DynamoDB ${version}`, () =>
      using(startDynamoDb({ version }), async ({ endpoint }) => {
        const client = new DynamoDBClient(aws(endpoint));
        expect((await client.send(new ListTablesCommand())).TableNames).eql([]);
        client.destroy();
      })).timeout(120_000);
  }

  it('Kinesis', () =>
    using(startKinesis(), async ({ endpoint }) => {
      const client = new KinesisClient({ ...aws(endpoint), requestHandler: new NodeHttpHandler() });
      expect((await client.send(new ListStreamsCommand())).StreamNames).eql([]);
      client.destroy();
    })).timeout(120_000);

  it('S3, which honours a conditional put', () =>
    using(startS3(), async ({ endpoint }) => {
      const client = new S3Client({ ...aws(endpoint), forcePathStyle: true });
      await client.send(new CreateBucketCommand({ Bucket: 'archive' }));
      const put = () => client.send(new PutObjectCommand({ Bucket: 'archive', Key: 'one', Body: 'one', IfNoneMatch: '*' }));
      await put();
      const again = await put().catch(error => error.$metadata.httpStatusCode);
      expect(again).equals(412);
      client.destroy();
    })).timeout(120_000);

  it('Kafka, one broker', () =>
    using(startKafka(), async ({ brokers }) => {
      await makeTopic(brokers, { topic: 'orders', numPartitions: 3 });
      expect(await withAdmin(brokers, admin => admin.listTopics())).include('orders');
    })).timeout(120_000);

  it('Kafka, three brokers, one of them killed and started again', () =>
    using(startKafka({ brokers: 3 }), async kafka => {
      const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      const seen = async () => (await admin.describeCluster()).brokers.length;
      expect(await seen()).equals(3);
      await kafka.killBroker(1, 'SIGKILL');
      await until(async () => (await seen()) === 2);
      await kafka.restartBroker(1);
      await until(async () => (await seen()) === 3);
      await admin.disconnect();
    })).timeout(180_000);

  it('tells why a server did not start', async () => {
    const plan = { name: 'broken', command: process.execPath, args: () => ['-e', 'console.error("no such disk"); process.exit(3)'] };
    const error = await startServer(plan).then(
      () => undefined,
      (cause: Error) => cause,
    );
    expect(error?.message)
      .match(/broken .* ended at once \(exit 3\)/)
      .and.match(/no such disk/);
  });

  it('ends servers and folders when the process that started them is killed', async () => {
    const program = `
      import { startKinesis } from ${JSON.stringify(new URL('../servers/kinesis.ts', import.meta.url).href)};
      const { port, logFile } = await startKinesis();
      console.log(JSON.stringify({ port, logFile }));
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const line = await new Promise<string>(resolve => child.stdout.once('data', data => resolve(String(data))));
    const { port, logFile } = JSON.parse(line);
    expect(await answers(port)).equals(true);
    child.kill('SIGKILL');
    await until(async () => !(await answers(port)) && !existsSync(dirname(logFile)));
  }).timeout(30_000);
});

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await sleep(100);
}
