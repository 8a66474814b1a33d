/**
 * The servers that the end-to-end tests share, started when the first test asks for them and stopped after the last one. Between the daemon and each of
 * them runs a line: a proxy that can be made to hang, refuse or delay. Tests themselves go to the servers directly, but to Kafka, which tells its
 * clients the line's address.
 */
import { startDynamoDb } from '../servers/dynamodb.ts';
import { type Kafka, startKafka } from '../servers/kafka.ts';
import { startKinesis } from '../servers/kinesis.ts';
import { freePort } from '../servers/ports.ts';
import { type FaultyProxy, startProxy } from '../servers/proxy.ts';
import { startS3 } from '../servers/s3.ts';
import type { Server } from '../servers/server.ts';

const LINES = ['state', 'source', 'replica', 'kinesis', 'kafka', 's3'] as const;
export type Line = (typeof LINES)[number];

export interface Stage {
  readonly dynamodb: Server;
  readonly kinesis: Server;
  readonly kafka: Kafka;
  readonly s3: Server;
  readonly lines: Readonly<Record<Line, FaultyProxy>>;
}

let starting: Promise<Stage> | undefined;
const started: { stop(): Promise<void> }[] = [];

after(async () => {
  await starting?.catch(() => undefined);
  await Promise.all(started.splice(0).map(thing => thing.stop()));
});

export function stage(): Promise<Stage> {
  starting ??= start();
  return starting;
}

/** All lines carry again. */
export async function mendLines(): Promise<void> {
  const { lines } = await stage();
  await Promise.all(LINES.map(line => lines[line].mode('pass')));
}

async function start(): Promise<Stage> {
  const [dynamodb, kinesis, s3, [kafka, kafkaLine]] = await Promise.all([
    kept(startDynamoDb()),
    kept(startKinesis()),
    kept(startS3()),
    startKafkaBehindLine(),
  ]);
  const line = (server: Server) => kept(startProxy(server.port));
  const [state, source, replica, toKinesis, toS3] = await Promise.all([dynamodb, dynamodb, dynamodb, kinesis, s3].map(line));
  if (!(state && source && replica && toKinesis && toS3)) throw new Error('a line is missing');
  return { dynamodb, kinesis, kafka, s3, lines: { state, source, replica, kinesis: toKinesis, kafka: kafkaLine, s3: toS3 } };
}

async function startKafkaBehindLine(): Promise<[Kafka, FaultyProxy]> {
  const port = await freePort();
  const line = await kept(startProxy(port));
  return [await kept(startKafka({ ports: [port], advertisedPorts: [line.port] })), line];
}

async function kept<T extends { stop(): Promise<void> }>(thing: Promise<T>): Promise<T> {
  const it = await thing;
  started.push(it);
  return it;
}
