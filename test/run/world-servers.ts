/**
 * The servers of the local world: DynamoDB, Kinesis, Kafka, S3. Where there is no Java, DynamoDB is another program and Kafka and S3 are left out, and
 * the world says so. Each takes its well-known port if that is free, so that config/local.yaml fits as it is.
 */
import { isCached } from '../servers/cache.ts';
import { startDynamoDb } from '../servers/dynamodb.ts';
import { javaAvailable, mavenAvailable } from '../servers/java.ts';
import { KAFKA_CACHE, type Kafka, startKafka } from '../servers/kafka.ts';
import { startKinesis } from '../servers/kinesis.ts';
import { portOr } from '../servers/ports.ts';
import { S3_CACHE, startS3 } from '../servers/s3.ts';
import type { Server } from '../servers/server.ts';

export interface WorldServers {
  readonly source: Server;
  /** The same process as the source where that keeps regions apart. */
  readonly replica: Server;
  readonly kinesis: Server;
  readonly kafka: Kafka | undefined;
  readonly s3: Server | undefined;
  /** What is not there, and why; one line. */
  readonly leftOut: string | undefined;
  /** Stops all of them. */
  stop(): Promise<void>;
}

/** Told of each server when it is ready. */
export type Say = (line: string) => void;

export async function startServers(say: Say): Promise<WorldServers> {
  const java = await javaAvailable();
  const leftOut = await whyNoJars(java);
  const said = async <T extends Server>(name: string, starting: Promise<T>): Promise<T> => {
    const server = await starting;
    say(`${name.padEnd(44)} ${server.endpoint}`);
    return server;
  };
  const [source, replica, kinesis, kafka, s3] = await allOrNone([
    java ? said('DynamoDB Local: source, replica and state', local()) : said('dynoxide: source and state', dynoxide(8000)),
    java ? undefined : said('dynoxide: replica', dynoxide(8001)),
    said(
      'kinesalite: Kinesis',
      portOr(4567).then(port => startKinesis({ port })),
    ),
    leftOut
      ? undefined
      : said(
          'Apache Kafka, one broker',
          portOr(9092).then(port => startKafka({ ports: [port] })),
        ),
    leftOut
      ? undefined
      : said(
          'S3Mock: S3',
          portOr(9090).then(port => startS3({ port })),
        ),
  ]);
  const all = [source, replica, kinesis, kafka, s3];
  const stop = async () => {
    await Promise.all(all.map(server => server?.stop()));
  };
  return { source, replica: replica ?? source, kinesis, kafka, s3, leftOut, stop };
}

const local = async (): Promise<Server> => startDynamoDb({ port: await portOr(8000) });

const dynoxide = async (wanted: number): Promise<Server> => startDynamoDb({ version: 'dynoxide', port: await portOr(wanted) });

async function whyNoJars(java: boolean): Promise<string | undefined> {
  if (!java) return 'Left out: Kafka and the S3 archive, whose servers need Java 17 or newer, which is not here';
  if ((isCached(KAFKA_CACHE) && isCached(S3_CACHE)) || (await mavenAvailable())) return undefined;
  return 'Left out: Kafka and the S3 archive, whose servers are fetched by Maven, which is not here';
}

/** All, or the first error after those that did start have been stopped. */
async function allOrNone<T extends readonly (Promise<Server> | undefined)[]>(starting: readonly [...T]) {
  const outcomes = await Promise.allSettled(starting);
  const failed = outcomes.find((outcome): outcome is PromiseRejectedResult => outcome.status === 'rejected');
  if (!failed) return (await Promise.all(starting)) as { [K in keyof T]: Awaited<T[K]> };
  await Promise.all(outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value?.stop() : undefined)));
  throw failed.reason;
}
