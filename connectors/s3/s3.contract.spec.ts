/** The contract suite against a real S3 server behind a proxy. */
import { gunzipSync } from 'node:zlib';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { describeSink } from '../../test/contract/describe-sink.ts';
import type { SinkTarget } from '../../test/contract/sink/suite.ts';
import { type FaultyProxy, startProxy } from '../../test/servers/proxy.ts';
import { startS3 } from '../../test/servers/s3.ts';
import type { Server } from '../../test/servers/server.ts';
import connector from './index.ts';

/** Fresh each time: the AWS SDK writes into what it is given. */
const credentials = () => ({ accessKeyId: 'local', secretAccessKey: 'local' });
let server: Server;
let proxy: FaultyProxy;
let client: S3Client;
let buckets = 0;

async function freshBucket(): Promise<SinkTarget> {
  buckets += 1;
  const Bucket = `bucket-${buckets}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  return {
    options: { bucket: Bucket, region: 'us-east-1', endpoint: `http://127.0.0.1:${proxy.port}`, credentials: credentials() },
    resource: Bucket,
    readBack: () => linesOf(Bucket),
    faults: {
      hang: () => proxy.mode('hang'),
      refuse: () => proxy.mode('refuse'),
      loseAnswers: () => proxy.mode('drop-answers'),
    },
    heal: async () => {
      await proxy.mode('reset');
      await proxy.mode('pass');
    },
  };
}

async function linesOf(Bucket: string) {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  const files = await Promise.all(
    Contents.filter(({ Key }) => Key?.endsWith('.json.gz')).map(async ({ Key = '' }) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      const text = gunzipSync((await Body?.transformToByteArray()) ?? new Uint8Array()).toString();
      return { Key, lines: text.split('\n').filter(line => line !== '') };
    }),
  );
  files.sort((a, b) => (a.Key < b.Key ? -1 : 1));
  return files.flatMap(({ lines }) =>
    lines.map(line => {
      const { Metadata, NewImage } = JSON.parse(line);
      return { eventId: Metadata.EventId.S, after: NewImage };
    }),
  );
}

describe('s3, real', function () {
  this.timeout(60_000);
  before(async () => {
    server = await startS3();
    proxy = await startProxy(server.port);
    client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', credentials: credentials(), forcePathStyle: true });
  });
  afterEach(() => proxy.mode('pass'));
  after(async () => {
    client?.destroy();
    await server?.stop();
    await proxy?.stop();
  });

  describeSink('s3', {
    connector,
    sample: { bucket: 'orders' },
    target: freshBucket,
    promises: {
      keeps: 'log',
      partialFailure: 'whole-batch',
      replay: 'harmless',
      tombstones: false,
      exactImages: true,
      recordLimit: { none: 'an object may have 5 TB' },
    },
    cannot: {
      throttle: 'the server never does; faults.spec holds what SlowDown means',
      failRecords: 'a file is stored whole or not at all',
      deny: 'the server knows no permissions; faultOf is tested by itself',
      remove: 'the server removes no bucket that has files',
    },
  });
});
