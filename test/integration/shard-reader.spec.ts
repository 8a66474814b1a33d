/** The shard reader over the real adapter and the local servers, each with its own oddities: nothing twice, nothing lost, no false end. */
import { expect } from 'chai';
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { Position } from '../../src/model/position.ts';
import type { Reader } from '../../src/ports/reader.ts';
import type { StreamApi } from '../../src/ports/stream-api.ts';
import { type FirstTips, firstTips } from '../../src/runners/first-tips.ts';
import { sourceOf } from '../../src/runners/shard-readers.ts';
import { closedShards, shardStanding } from '../../src/shards/lineage.ts';
import { shardReader } from '../../src/shards/shard-reader.ts';
import { keptLog, NEVER } from '../fakes/lease-world.ts';
import { Follower } from '../fakes/shard-world.ts';
import { type DynamoDbOptions, startDynamoDb } from '../servers/dynamodb.ts';
import { noFaketime, startFastDynamoDb } from '../servers/fast-dynamodb.ts';
import type { Server } from '../servers/server.ts';

const CREDENTIALS = { accessKeyId: 'reader', secretAccessKey: 's' };

const missing = await noFaketime();

describe('shard reader against local servers', function () {
  this.timeout(120_000);
  let server: Server;
  let clients: AwsClients;
  let streams: StreamApi;
  let arn = '';

  const opened = async (starting: Promise<Server>): Promise<void> => {
    server = await starting;
    clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
    const aws = { endpoint: server.endpoint, region: 'us-east-1', credentials: CREDENTIALS };
    streams = clients.streams(aws);
    const table = clients.table(aws);
    const TableName = 'orders';
    const KeySchema = [{ AttributeName: 'pk', KeyType: 'HASH' }] as const;
    const AttributeDefinitions = [{ AttributeName: 'pk', AttributeType: 'S' }] as const;
    const make = { TableName, BillingMode: 'PAY_PER_REQUEST', KeySchema, AttributeDefinitions } as const;
    const StreamSpecification = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } as const;
    // A call that was applied and lost its answer is refused when it is made again, so only what stands in the end counts.
    while (arn === '') {
      await table.call('CreateTable', make, NEVER).catch(() => {});
      await table.call('UpdateTable', { TableName, StreamSpecification }, NEVER).catch(() => {});
      arn = (await insist(() => table.call('DescribeTable', { TableName }, NEVER))).Table.LatestStreamArn ?? '';
      await systemClock.sleep(20, NEVER);
    }
  };

  /** At a thousand times its speed a server forgets connections within 30 ms. */
  const insist = async <T>(call: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      try {
        return await call();
      } catch (error) {
        if (tries === 50) throw error;
        await systemClock.sleep(20, NEVER);
      }
    }
  };

  const described = () => insist(() => streams.describe(arn, NEVER));

  const closed = async (): Promise<void> => {
    arn = '';
    await clients.close();
    await server.stop();
  };

  const write = async (n: number): Promise<void> => {
    const table = clients.table({ endpoint: server.endpoint, region: 'us-east-1', credentials: CREDENTIALS });
    const Item = { pk: { S: `k${n % 3}` }, n: { N: String(n) } };
    await insist(() => table.call('PutItem', { TableName: 'orders', Item }, NEVER));
  };

  const readerOf = async (shardId: string, tips?: FirstTips): Promise<Reader> => {
    const stream = await described();
    return shardReader({
      api: streams,
      source: sourceOf(stream, shardId),
      labels: { pipeline: 'p', table: stream.table, partition: shardId },
      clock: systemClock,
      random: systemRandom,
      log: keptLog(),
      observer: {},
      pollMs: 50,
      idleMs: 50,
      startingToken: stream.shards.find(shard => shard.shardId === shardId)?.startingToken,
      isClosed: () => closedShards(stream).has(shardId),
      standing: async signal => shardStanding(await streams.describe(arn, signal), shardId, 0),
      tipIterator: takenAt => tips?.take(shardId, takenAt),
    });
  };

  const follow = async (from: Position, tips?: FirstTips): Promise<Follower> => {
    const { shards } = await described();
    return new Follower(await readerOf(shards[0]?.shardId ?? '', tips), from);
  };

  const until = async (goal: () => boolean): Promise<void> => {
    while (!goal()) await systemClock.sleep(10, NEVER);
  };

  const numbers = (follower: Follower): number[] => follower.records.map(({ after }) => Number(after?.n && 'N' in after.n ? after.n.N : 0));

  for (const version of ['3.3.0', '1.25.1', 'dynoxide'] satisfies DynamoDbOptions['version'][]) {
    describe(`of ${version}`, () => {
      before(() => opened(startDynamoDb({ version })));
      after(() => closed());

      it('follows an open shard, at rest too, and ends nothing', async () => {
        const follower = await follow({ at: 'start' });
        for (let n = 1; n <= 30; n++) {
          await write(n);
          if (n % 10 === 0) await systemClock.sleep(300, NEVER);
        }
        await until(() => follower.records.length >= 30);
        await systemClock.sleep(300, NEVER);
        expect(numbers(follower)).to.deep.equal(Array.from({ length: 30 }, (_, i) => i + 1));
        expect([follower.ended, follower.error, follower.gaps]).to.deep.equal([false, undefined, []]);
        expect(follower.pages.at(-1)?.atTip).to.equal(true);
        follower.stop.abort();
        await follower.done;
      });

      it('goes on after a record, and from the tip', async () => {
        const all = await follow({ at: 'start' });
        await until(() => all.records.length >= 30);
        all.stop.abort();
        const middle = all.records[14];
        if (middle === undefined) throw new Error('thirty records were expected');
        const rest = await follow({ at: 'after', token: middle.token, changedAt: middle.changedAt });
        const description = await described();
        const shardIds = description.shards.map(({ shardId }) => shardId);
        const tips = await firstTips({ description, shardIds, streams, clock: systemClock }, NEVER);
        const tip = await follow({ at: 'tip', takenAt: tips.takenAt }, tips);
        await until(() => tip.pages.length > 0);
        await write(31);
        await until(() => rest.records.length >= 16 && tip.records.length >= 1);
        expect([numbers(rest)[0], numbers(rest).length, numbers(tip)]).to.deep.equal([16, 16, [31]]);
        rest.stop.abort();
        tip.stop.abort();
        await Promise.all([rest.done, tip.done]);
      });

      it('a number that the server never gave ends nothing and hides nothing', async () => {
        const follower = await follow({ at: 'after', token: '0', changedAt: systemClock.now() });
        await until(() => follower.records.length >= 31 || follower.error !== undefined);
        expect([numbers(follower).length, follower.error, follower.ended]).to.deep.equal([31, undefined, false]);
        follower.stop.abort();
        await follower.done;
      });
    });
  }

  if (missing !== undefined) console.log(missing);
  else {
    describe('of 1.25.1 at a thousand times its speed', () => {
      before(() => opened(startFastDynamoDb(1_000)));
      after(() => closed());

      it('a shard that rolls ends, and its child goes on where it ended', async () => {
        const { shards } = await described();
        const parent = shards[0]?.shardId ?? '';
        const first = new Follower(await readerOf(parent), { at: 'start' });
        let n = 0;
        while (!first.ended && first.error === undefined) {
          n += 1;
          await write(n);
          await systemClock.sleep(500, NEVER);
        }
        expect(first.error).to.equal(undefined);
        const child = (await described()).shards.find(({ parentShardId }) => parentShardId === parent);
        const second = new Follower(await readerOf(child?.shardId ?? ''), { at: 'start' });
        await write(n + 1);
        await until(() => numbers(second).includes(n + 1));
        const came = [...numbers(first), ...numbers(second)];
        expect(new Set(came).size).to.equal(came.length);
        expect(came).to.deep.equal([...came].sort((a, b) => a - b));
        second.stop.abort();
        await second.done;
      });
    });
  }
});
