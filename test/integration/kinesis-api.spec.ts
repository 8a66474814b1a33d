/** Both twins of `KinesisApi` against kinesalite. */
import { CreateStreamCommand, GetRecordsCommand, GetShardIteratorCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { expect } from 'chai';
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { KinesisApi } from '../../src/ports/kinesis-api.ts';
import { faultOf, NEVER } from '../contract/table-api-suite.ts';
import { keptLog } from '../fakes/lease-world.ts';
import { startKinesis } from '../servers/kinesis.ts';
import type { Server } from '../servers/server.ts';

const credentials = { accessKeyId: 'kinesis', secretAccessKey: 's' };

describe('Kinesis by both clients', function () {
  this.timeout(60_000);
  let server: Server;
  let clients: AwsClients;
  let plain: KinesisClient;

  before(async () => {
    server = await startKinesis();
    clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
    plain = new KinesisClient({ endpoint: server.endpoint, region: 'us-east-1', credentials, requestHandler: new NodeHttpHandler() });
  });
  after(async () => {
    plain.destroy();
    await clients.close();
    await server.stop();
  });

  /** What the only shard holds. */
  const held = async (StreamName: string): Promise<string[]> => {
    const place = { StreamName, ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' } as const;
    const { ShardIterator } = await plain.send(new GetShardIteratorCommand(place));
    const { Records = [] } = await plain.send(new GetRecordsCommand({ ShardIterator }));
    return Records.map(record => Buffer.from(record.Data ?? []).toString('utf8'));
  };

  for (const client of ['fast', 'sdk'] as const) {
    describe(client, () => {
      const stream = `changes-${client}`;
      let kinesis: KinesisApi;

      before(async () => {
        kinesis = clients.kinesis({ endpoint: server.endpoint, region: 'us-east-1', credentials, client });
        await plain.send(new CreateStreamCommand({ StreamName: stream, ShardCount: 1 }));
        while ((await kinesis.describe(stream, NEVER)).status !== 'ACTIVE') await new Promise(resolve => setTimeout(resolve, 20));
      });

      it('describes a stream', async () => {
        expect(await kinesis.describe(stream, NEVER)).to.deep.include({ status: 'ACTIVE', openShards: 1 });
        expect((await kinesis.describe(stream, NEVER)).arn).to.match(new RegExp(`stream/${stream}$`));
      });

      it('puts records whose text arrives as it was', async () => {
        const texts = ['{"a":"äß€𝄞"}', 'plain'];
        const results = await kinesis.putRecords(
          stream,
          texts.map((Data, i) => ({ Data, PartitionKey: `key-${i}` })),
          NEVER,
        );
        expect(results).to.have.length(texts.length);
        for (const result of results) expect(result).to.include.keys('SequenceNumber', 'ShardId');
        expect(await held(stream)).to.deep.equal(texts);
      });

      it('names what is missing and what is too much', async () => {
        const one = { Data: 'x', PartitionKey: 'k' };
        expect(await faultOf(kinesis.putRecords('no-such-stream', [one], NEVER))).to.include({
          name: 'ResourceNotFoundException',
          class: 'missing',
        });
        const many = Array.from({ length: 501 }, () => one);
        expect((await faultOf(kinesis.putRecords(stream, many, NEVER))).class).to.equal('invalid');
      });
    });
  }
});
