import { expect } from 'chai';
import { refusalFault } from '../../../src/adapters/aws-faults.ts';
import { type StreamCalls, streamApi } from '../../../src/adapters/dynamodb-streams.ts';
import type { Source } from '../../../src/model/change-record.ts';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import { keptLog } from '../../fakes/lease-world.ts';

const signal = new AbortController().signal;
const ARN = 'arn:aws-cn:dynamodb:cn-north-1:123456789012:table/orders/stream/2026-11-23T01:02:03.004';
const LOCAL_ARN = 'arn:aws:dynamodb:ddblocal:000000000000:table/orders/stream/2026-11-23T01:02:03.004';
const SOURCE: Source = {
  origin: 'stream',
  table: 'orders',
  region: 'cn-north-1',
  streamArn: ARN,
  streamCreatedAt: 0,
  viewType: 'NEW_AND_OLD_IMAGES',
  keyNames: ['pk'],
  partition: 'shardId-1',
};

type Request = Record<string, unknown>;

/** The API over a script of answers; texts are sent as they are, faults are thrown. */
function scripted(script: (operation: string, request: Request) => unknown) {
  const log = keptLog();
  const requests: Request[] = [];
  const calls: StreamCalls = {
    async call(operation, request) {
      requests.push({ operation, ...request });
      const answer = script(operation, request as Request);
      if (answer instanceof Error) throw answer;
      const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
      return { json: JSON.parse(text), text, bytes: Buffer.byteLength(text), servedAt: 1_000 };
    },
    region: async () => 'eu-west-1',
    keySchema: async () => [{ AttributeName: 'asked', KeyType: 'HASH' }],
  };
  return { api: streamApi(calls, log), log, requests };
}

const fault = (name: string, more: { status?: number; message?: string } = {}) =>
  refusalFault({ name, message: 'no', status: 400, answer: {}, servedAt: undefined, ...more });

async function thrown(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'nothing was thrown',
    reason => reason,
  );
}

describe('describing a stream', () => {
  const page = (shards: object[], more: object = {}) => ({
    StreamDescription: {
      StreamStatus: 'ENABLED',
      StreamViewType: 'NEW_IMAGE',
      KeySchema: [
        { AttributeName: 'sk', KeyType: 'RANGE' },
        { AttributeName: 'pk', KeyType: 'HASH' },
      ],
      Shards: shards,
      ...more,
    },
  });

  it('child-on-earlier-page: reads all pages, and what the ARN says', async () => {
    const first = { ShardId: 'a', SequenceNumberRange: { StartingSequenceNumber: '1', EndingSequenceNumber: '9' } };
    const second = { ShardId: 'b', ParentShardId: 'a', SequenceNumberRange: { StartingSequenceNumber: '10' } };
    const { api } = scripted((_operation, request) =>
      request['ExclusiveStartShardId'] === 'a' ? page([second]) : page([first], { LastEvaluatedShardId: 'a' }),
    );
    expect(await api.describe(ARN, signal)).to.deep.equal({
      arn: ARN,
      table: 'orders',
      region: 'cn-north-1',
      status: 'ENABLED',
      viewType: 'NEW_IMAGE',
      keyNames: ['pk', 'sk'],
      createdAt: Date.UTC(2026, 10, 23, 1, 2, 3, 4),
      shards: [
        { shardId: 'a', startingToken: '1', endingToken: '9' },
        { shardId: 'b', parentShardId: 'a', startingToken: '10' },
      ],
      servedAt: 1_000,
    });
  });

  it('takes the region of a local server from its client, and no shards for none', async () => {
    const { api } = scripted(() => ({ StreamDescription: { ...page([]).StreamDescription, StreamStatus: 'ENABLING', Shards: undefined } }));
    expect(await api.describe(LOCAL_ARN, signal)).to.deep.include({ region: 'eu-west-1', status: 'ENABLING', shards: [] });
  });

  it('asks the table for its key where the stream does not name it, and reads a label of seconds', async () => {
    const { api } = scripted(() => ({ StreamDescription: { ...page([]).StreamDescription, KeySchema: undefined } }));
    const described = await api.describe('arn:aws:dynamodb:dynoxide:000000000000:table/orders/stream/1795613800.484732151', signal);
    expect(described).to.deep.include({ keyNames: ['asked'], createdAt: 1_795_613_800_485, region: 'eu-west-1' });
  });

  it('says what an ARN looks like when it is none', async () => {
    const { api } = scripted(() => page([]));
    expect(String(await thrown(api.describe('orders', signal)))).to.match(
      /not the ARN of a DynamoDB stream: "orders".*table\/TABLE\/stream/,
    );
  });

  it('throws when the stream is gone', async () => {
    const { api } = scripted(() => fault('ResourceNotFoundException'));
    expect(await thrown(api.describe(ARN, signal))).to.have.property('class', 'missing');
  });

  it('gives children alone, also from a server that ignores the filter and pages', async () => {
    const { api, requests } = scripted((_operation, request) =>
      request['ExclusiveStartShardId'] === 'b'
        ? page([{ ShardId: 'c', ParentShardId: 'a' }])
        : page([{ ShardId: 'a' }, { ShardId: 'b', ParentShardId: 'z' }], { LastEvaluatedShardId: 'b' }),
    );
    expect(await api.children(ARN, 'a', signal)).to.deep.equal([{ shardId: 'c', parentShardId: 'a' }]);
    expect(requests[0]).to.deep.include({ ShardFilter: { Type: 'CHILD_SHARDS', ShardId: 'a' } });
  });

  it('child-filter-unsupported: says that a server knows no filter, and throws all else', async () => {
    expect(await scripted(() => fault('ValidationException')).api.children(ARN, 'a', signal)).to.equal('unsupported');
    expect(await scripted(() => fault('SerializationException')).api.children(ARN, 'a', signal)).to.equal('unsupported');
    expect(await thrown(scripted(() => fault('ThrottlingException')).api.children(ARN, 'a', signal))).to.be.instanceOf(ServiceFault);
  });
});

describe('opening a shard', () => {
  const place = { type: 'AFTER_SEQUENCE_NUMBER', token: '7' } as const;

  it('asks for the place', async () => {
    const { api, requests } = scripted(() => ({ ShardIterator: 'it' }));
    expect(await api.iterator(SOURCE, place, signal)).to.deep.equal({ is: 'iterator', iterator: 'it', servedAt: 1_000 });
    await api.iterator(SOURCE, { type: 'TRIM_HORIZON' }, signal);
    const same = { operation: 'GetShardIterator', StreamArn: ARN, ShardId: 'shardId-1' };
    expect(requests).to.deep.equal([
      { ...same, ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '7' },
      { ...same, ShardIteratorType: 'TRIM_HORIZON' },
    ]);
  });

  it('gives expected refusals as values and throws all else', async () => {
    const is = async (refused: Error) => (await scripted(() => refused).api.iterator(SOURCE, place, signal)).is;
    expect(await is(fault('TrimmedDataAccessException'))).to.equal('trimmed');
    expect(await is(fault('ResourceNotFoundException'))).to.equal('gone');
    expect(await is(fault('LimitExceededException'))).to.equal('throttled');
    expect(await is(fault('ThrottlingException'))).to.equal('throttled');
    expect(await is(fault('ProvisionedThroughputExceededException'))).to.equal('throttled');
    expect(await thrown(is(fault('AccessDeniedException')))).to.have.property('class', 'denied');
    expect(await thrown(is(fault('InternalFailure', { status: 500 })))).to.have.property('class', 'server');
  });

  it('takes a number that the shard does not know for trimmed, at a local server too', async () => {
    const local = { ...SOURCE, streamArn: LOCAL_ARN };
    const failing = scripted(() => fault('InternalFailure', { status: 500 })).api;
    expect(await failing.iterator(local, place, signal)).to.deep.equal({ is: 'trimmed' });
    expect(await thrown(failing.iterator(local, { type: 'TRIM_HORIZON' }, signal))).to.have.property('class', 'server');
    expect(await scripted(() => fault('ValidationException')).api.iterator(SOURCE, place, signal)).to.deep.equal({ is: 'trimmed' });
  });
});

describe('reading a shard', () => {
  const record = (dynamodb: object, more: object = {}) => ({
    eventID: 'e',
    eventName: 'MODIFY',
    eventVersion: '1.1',
    dynamodb: { Keys: { pk: { S: 'a' } }, SequenceNumber: '1', SizeBytes: 10, ...dynamodb },
    ...more,
  });

  it('gives expected refusals as values and throws all else', async () => {
    const is = async (refused: Error) => (await scripted(() => refused).api.read('it', SOURCE, signal)).is;
    expect(await is(fault('ExpiredIteratorException'))).to.equal('expired');
    expect(await is(fault('TrimmedDataAccessException'))).to.equal('trimmed');
    expect(await is(fault('ResourceNotFoundException'))).to.equal('gone');
    expect(await is(fault('LimitExceededException'))).to.equal('throttled');
    expect(await is(fault('ValidationException', { message: 'Invalid ShardIterator' }))).to.equal('expired');
    expect(await thrown(is(fault('ValidationException', { message: 'other' })))).to.have.property('class', 'invalid');
    expect(await thrown(is(new Error('a bug')))).to.have.property('message', 'a bug');
  });

  it('takes an absent, null or empty next iterator for none', async () => {
    for (const next of [undefined, null, '']) {
      const page = await scripted(() => ({ Records: [record({})], NextShardIterator: next })).api.read('it', SOURCE, signal);
      expect(page).to.have.property('is', 'page');
      expect(page).to.not.have.property('next');
    }
    expect(await scripted(() => ({ NextShardIterator: 'n' })).api.read('it', SOURCE, signal)).to.deep.include({ records: [], next: 'n' });
  });

  it('limit-clamped: asks for 1,000 records at most', async () => {
    const { api, requests } = scripted(() => ({ Records: [] }));
    await api.read('it', SOURCE, signal);
    expect(requests).to.deep.equal([{ operation: 'GetRecords', ShardIterator: 'it', Limit: 1_000 }]);
  });

  it('reads maps that have lost their type as empty maps, and says so once', async () => {
    const text = JSON.stringify({
      Records: [
        record({
          NewImage: {
            pk: { S: 'a' },
            m: {},
            deep: { M: { l: { L: [{}, { M: { x: {} } }, { L: [{}] }] }, ok: { M: {} } } },
            'a:{}': { S: ':{}' },
          },
        }),
        record({ OldImage: JSON.parse('{"pk":{"S":"a"},"__proto__":{},"constructor":{"M":{"__proto__":{}}}}') }),
      ],
    });
    const { api, log } = scripted(() => text);
    for (let i = 0; i < 3; i++) {
      const page = await api.read('it', SOURCE, signal);
      if (page.is !== 'page') throw new Error('a page was expected');
      expect(page.records[0]?.after).to.deep.equal({
        pk: { S: 'a' },
        m: { M: {} },
        deep: { M: { l: { L: [{ M: {} }, { M: { x: { M: {} } } }, { L: [{ M: {} }] }] }, ok: { M: {} } } },
        'a:{}': { S: ':{}' },
      });
      expect(JSON.stringify(page.records[1]?.before)).to.equal(
        '{"pk":{"S":"a"},"__proto__":{"M":{}},"constructor":{"M":{"__proto__":{"M":{}}}}}',
      );
    }
    expect(log.lines.map(line => line.message)).to.have.length(1);
  });

  it('finds such a map in a list alone', async () => {
    const { api } = scripted(() => ({ Records: [record({ NewImage: { pk: { S: 'a' }, l: { L: [{}] } } })] }));
    const page = await api.read('it', SOURCE, signal);
    expect(page)
      .to.have.nested.property('records[0].after.l')
      .that.deep.equals({ L: [{ M: {} }] });
  });

  it('judges an event that it does not know by its images, and says so once', async () => {
    const old = { OldImage: { pk: { S: 'a' } } };
    const fresh = { NewImage: { pk: { S: 'a' } } };
    const unknown = { eventName: 'UNKNOWN_TO_SDK_VERSION' };
    const { api, log } = scripted(() => ({
      Records: [record(old, unknown), record({ ...old, ...fresh }, unknown), record(fresh, unknown)],
    }));
    await api.read('it', SOURCE, signal);
    const page = await api.read('it', SOURCE, signal);
    if (page.is !== 'page') throw new Error('a page was expected');
    expect(page.records.map(one => one.kind)).to.deep.equal(['remove', 'modify', 'insert']);
    expect(page.records[0]?.eventName).to.equal('UNKNOWN_TO_SDK_VERSION');
    expect(log.lines).to.have.length(1);
  });
});
