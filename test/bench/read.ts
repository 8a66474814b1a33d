/** What a record costs from the wire to a sink that does nothing: a bare client, the AWS SDK, our client alone, our whole pipeline. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { DynamoDBStreamsClient, GetRecordsCommand } from '@aws-sdk/client-dynamodb-streams';
import { awsClients } from '../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { Source } from '../../src/model/change-record.ts';
import { shardReader } from '../../src/shards/shard-reader.ts';
import { memoryProgress, ScriptedTarget, SOURCE, silentLog, startWorld } from '../fakes/pipeline-world.ts';
import { type Measured, measured } from './measure.ts';

const PAGES = 30;
const CREDENTIALS = () => ({ accessKeyId: 'a', secretAccessKey: 'b' });
const source: Source = { ...SOURCE, keyNames: ['pk', 'sk'] };

export async function benchRead(): Promise<Measured[]> {
  const stub = spawn(process.execPath, [fileURLToPath(new URL('./stub-stream.mjs', import.meta.url)), String(PAGES)]);
  const [port] = await once(stub.stdout, 'data');
  const endpoint = `http://127.0.0.1:${String(port).trim()}`;
  const clients = awsClients({ clock: systemClock, random: systemRandom, log: silentLog });
  const streams = (client: 'fast' | 'sdk') => clients.streams({ region: 'us-east-1', endpoint, credentials: CREDENTIALS(), client });
  try {
    return [
      await measured('fetch and JSON.parse, nothing else', () => bare(endpoint)),
      await measured('AWS SDK for JavaScript v3, GetRecords', () => sdk(endpoint)),
      await measured('Tidemark: client and decoding', () => readAll(streams('fast'))),
      await measured('Tidemark: reader, pipeline, one sink that drops', () => pipeline(streams('fast'), 1)),
      await measured('Tidemark: the same with four sinks', () => pipeline(streams('fast'), 4)),
    ];
  } finally {
    stub.kill();
    await clients.close();
  }
}

async function bare(endpoint: string): Promise<number> {
  let records = 0;
  for (let page = 0; page < PAGES; page += 1) {
    const headers = { 'x-amz-target': 'DynamoDBStreams_20120810.GetRecords' };
    const answer = await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify({ ShardIterator: String(page) }) });
    records += JSON.parse(await answer.text()).Records.length;
  }
  return records;
}

async function sdk(endpoint: string): Promise<number> {
  const client = new DynamoDBStreamsClient({ region: 'us-east-1', endpoint, credentials: CREDENTIALS() });
  let records = 0;
  for (let ShardIterator: string | undefined = '0'; ShardIterator !== undefined; ) {
    const answer: { Records?: unknown[] | undefined; NextShardIterator?: string | undefined } = await client.send(
      new GetRecordsCommand({ ShardIterator }),
    );
    records += answer.Records?.length ?? 0;
    ShardIterator = answer.NextShardIterator;
  }
  client.destroy();
  return records;
}

type Streams = ReturnType<ReturnType<typeof awsClients>['streams']>;

async function readAll(api: Streams): Promise<number> {
  let records = 0;
  for (let next: string | undefined = '0'; next !== undefined; ) {
    const answer = await api.read(next, source, new AbortController().signal);
    if (answer.is !== 'page') throw new Error(answer.is);
    records += answer.records.length;
    next = answer.next;
  }
  return records;
}

async function pipeline(api: Streams, sinks: number): Promise<number> {
  const reader = shardReader({
    api,
    source,
    labels: { pipeline: 'bench', table: 'orders', partition: source.partition },
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    observer: {},
    pollMs: 250,
    idleMs: 250,
    isClosed: () => true,
    standing: async () => ({ is: 'closed', servedAt: systemClock.now() }),
    tipIterator: () => undefined,
  });
  const drops = () => new ScriptedTarget({ batch: { records: 500, bytes: 5_000_000, waitMs: 0 } }, async () => ({ failed: [] }));
  const targets = Object.fromEntries(Array.from({ length: sinks }, (_, i) => [`s${i}`, drops()]));
  const world = await startWorld({ clock: systemClock, reader, progress: memoryProgress(), targets });
  await world.run.done;
  return [...world.sinks.values()].reduce((least, sink) => Math.min(least, sink.accounts.counts.written), Number.POSITIVE_INFINITY);
}
