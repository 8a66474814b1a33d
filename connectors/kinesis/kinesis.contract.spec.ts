/** The kinesis connector against kinesalite, behind a faulty proxy, by both clients; and by the AWS SDK against the stub, which can do what no server does. */
import { randomUUID } from 'node:crypto';
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { describeSink } from '../../test/contract/describe-sink.ts';
import type { Seen, SinkTarget } from '../../test/contract/sink/suite.ts';
import { CREDENTIALS, KINESIS_PROMISES, ownClients, seenIn, stubTarget } from '../../test/fakes/kinesis-suite.ts';
import { startKinesis } from '../../test/servers/kinesis.ts';
import { startProxy } from '../../test/servers/proxy.ts';
import type { Server } from '../../test/servers/server.ts';
import kinesis from './index.ts';

describe('kinesis against a server', function () {
  this.timeout(60_000);
  let server: Server;
  let plain: KinesisClient;

  before(async () => {
    server = await startKinesis();
    plain = new KinesisClient({
      endpoint: server.endpoint,
      region: 'us-east-1',
      // A copy, for the client writes into it.
      credentials: { ...CREDENTIALS },
      requestHandler: new NodeHttpHandler(),
    });
  });
  after(async () => {
    plain?.destroy();
    await server?.stop();
  });

  for (const client of ['fast', 'sdk'] as const) {
    describeSink(`kinesis (kinesalite, ${client})`, {
      connector: kinesis,
      sample: { stream: 'changes', client },
      target: () => serverTarget(plain, server.port, { client }),
      promises: KINESIS_PROMISES,
      cannot: {
        throttle: 'kinesalite never throttles; the stub does',
        failRecords: 'kinesalite takes a request whole; the stub does not',
        deny: 'kinesalite knows no permissions; the stub does',
      },
    });
  }
});

describeSink('kinesis (stub, sdk)', {
  connector: kinesis,
  sample: { stream: 'changes', client: 'sdk' },
  target: () => stubTarget({ client: 'sdk' }),
  promises: KINESIS_PROMISES,
  cannot: {},
  quietMs: 20,
});

/** A stream and a proxy of its own for each case. */
async function serverTarget(plain: KinesisClient, port: number, options: object): Promise<SinkTarget> {
  const stream = `changes-${randomUUID()}`;
  const proxy = await startProxy(port);
  const clients = ownClients();
  let isThere = true;
  await create(plain, stream);
  return {
    options: { stream, region: 'us-east-1', endpoint: proxy.endpoint, credentials: CREDENTIALS, ...options },
    host: { kinesis: clients.kinesis },
    resource: stream,
    readBack: () => everything(plain, stream),
    faults: {
      hang: () => proxy.mode('hang'),
      refuse: () => proxy.mode('refuse'),
      loseAnswers: () => proxy.mode('drop-answers'),
      remove: async () => {
        isThere = false;
        await plain.send(new DeleteStreamCommand({ StreamName: stream }));
        await until(async () => (await statusOf(plain, stream)) === undefined);
      },
    },
    heal: async () => {
      // What a hanging proxy holds back goes with its connections.
      await proxy.mode('reset');
      await proxy.mode('pass');
      if (!isThere) await create(plain, stream);
      isThere = true;
    },
    stop: async () => {
      await clients.close();
      await proxy.stop();
      await plain.send(new DeleteStreamCommand({ StreamName: stream }));
    },
  };
}

async function create(plain: KinesisClient, StreamName: string): Promise<void> {
  await plain.send(new CreateStreamCommand({ StreamName, ShardCount: 3 }));
  await until(async () => (await statusOf(plain, StreamName)) === 'ACTIVE');
}

async function statusOf(plain: KinesisClient, StreamName: string): Promise<string | undefined> {
  try {
    return (await plain.send(new DescribeStreamSummaryCommand({ StreamName }))).StreamDescriptionSummary?.StreamStatus;
  } catch {
    return undefined;
  }
}

async function until(goal: () => Promise<boolean>): Promise<void> {
  while (!(await goal())) await new Promise(resolve => setTimeout(resolve, 10));
}

/** All records, shard by shard: an item's are in one shard. */
async function everything(plain: KinesisClient, StreamName: string): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  const { Shards = [] } = await plain.send(new ListShardsCommand({ StreamName }));
  for (const { ShardId } of Shards) {
    let next = (await plain.send(new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }))).ShardIterator;
    for (let count = -1; count !== 0; ) {
      const { Records = [], NextShardIterator } = await plain.send(new GetRecordsCommand({ ShardIterator: next }));
      seen.push(...Records.map(({ Data }) => seenIn(Buffer.from(Data ?? []).toString('utf8'))));
      count = Records.length;
      next = NextShardIterator;
    }
  }
  return seen;
}
