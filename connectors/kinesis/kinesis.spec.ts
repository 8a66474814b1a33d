/** The kinesis connector against a stub in this process, through the real clients; and its own decisions. */
import { expect } from 'chai';
import type { SinkFault } from '../../src/connector.ts';
import { encoder } from '../../src/formats/encoder.ts';
import { describeSink } from '../../test/contract/describe-sink.ts';
import { CREDENTIALS, KINESIS_PROMISES, ownClients, stubTarget } from '../../test/fakes/kinesis-suite.ts';
import { batchOf, changeRecord, manyChanges, recordSource, suiteKey, TableScript } from '../../test/fakes/records.ts';
import { StubKinesis } from '../../test/fakes/stub-kinesis.ts';
import { type TestHost, testHost } from '../../test/fakes/test-host.ts';
import { partitionKey, REQUEST_BYTES, requestsOf } from './entries.ts';
import kinesis from './index.ts';

describeSink('kinesis (stub)', {
  connector: kinesis,
  sample: { stream: 'changes' },
  target: stubTarget,
  promises: KINESIS_PROMISES,
  cannot: {},
  quietMs: 20,
});

describeSink('kinesis (stub), order none', {
  connector: kinesis,
  sample: { stream: 'changes', order: 'none', partitionBy: 'partitionKey' },
  target: () => stubTarget({ order: 'none', partitionBy: 'partitionKey' }),
  promises: KINESIS_PROMISES,
  cannot: {},
  quietMs: 20,
});

const never = new AbortController().signal;

describe('kinesis requests', () => {
  const encode = encoder('kds');
  const cut = (sizes: readonly number[], recordBytes = 1_048_576) => {
    const records = sizes.map((size, n) => changeRecord({ n, keys: suiteKey(`k${n}`), after: { text: { S: 'x'.repeat(size) } } }));
    return requestsOf(records.entries(), { encode, partitionBy: 'item', recordBytes });
  };

  it('hold 500 records at most', () => {
    expect(cut(Array(1_001).fill(1)).requests.map(({ indexes }) => indexes.length)).to.deep.equal([500, 500, 1]);
  });

  it('hold 10 MiB at most, partition keys included', () => {
    const { requests } = cut(Array(21).fill(1_000_000));
    expect(requests.map(({ indexes }) => indexes.length)).to.deep.equal([10, 10, 1]);
    for (const { entries, bytes } of requests) {
      const sum = entries.reduce((all, { Data, PartitionKey }) => all + Buffer.byteLength(Data) + Buffer.byteLength(PartitionKey), 0);
      expect(bytes).to.equal(sum).and.to.be.at.most(REQUEST_BYTES);
    }
  });

  it('leave out a record that is one byte too large for the stream, key included', () => {
    const exact = cut([0]).requests[0]?.bytes ?? 0;
    expect(cut([0], exact).refused).to.deep.equal([]);
    const { requests, refused } = cut([0, 0, 0], exact - 1);
    expect(requests).to.have.length(0);
    expect(refused[1]).to.deep.equal({
      index: 1,
      disposition: 'reject',
      reason: `the record has ${exact} bytes with its partition key, the stream takes ${exact - 1}`,
    });
  });

  it('have partition keys of 256 characters at most, also where these are of many bytes', () => {
    const source = recordSource({ keyNames: ['pk'] });
    const keyOf = (pk: string) => partitionKey({ keys: { pk: { S: pk } }, source }, 'item');
    const around = '{"pk":""}'.length;
    for (const sign of ['x', 'ü', '漢', '👩']) {
      const most = sign.repeat(Math.floor((256 - around) / sign.length));
      expect(keyOf(most)).to.equal(`{"pk":"${most}"}`);
      expect(keyOf(`${most}${sign}`)).to.match(/^[0-9a-f]{64}$/);
    }
    // Two keys with the same first 600 bytes are two keys.
    expect(keyOf(`${'漢'.repeat(200)}a`)).not.to.equal(keyOf(`${'漢'.repeat(200)}b`));
  });

  it('partitionBy partitionKey: a collection has one', () => {
    const key = (n: number, by: 'item' | 'partitionKey') => partitionKey(changeRecord({ keys: suiteKey('a', n) }), by);
    expect(key(1, 'partitionKey')).to.equal(key(2, 'partitionKey')).and.to.equal('{"pk":"a"}');
    expect(key(1, 'item')).not.to.equal(key(2, 'item'));
  });
});

describe('kinesis sink', () => {
  const stub = new StubKinesis();
  const clients = ownClients();
  let host: TestHost;

  before(() => stub.start());
  after(async () => {
    await clients.close();
    await stub.stop();
  });
  beforeEach(() => {
    stub.create('changes');
    stub.trouble = undefined;
    stub.maxRecordKiB = undefined;
    host = testHost({ kinesis: clients.kinesis });
  });

  const open = (more: object = {}) => {
    const options = { stream: 'changes', region: 'us-east-1', endpoint: stub.endpoint, credentials: CREDENTIALS, ...more };
    return kinesis.open(kinesis.schema.parse(options), host);
  };
  const faultOf = (work: Promise<unknown>): Promise<SinkFault | undefined> =>
    work.then(
      () => undefined,
      error => error,
    );
  const one = batchOf([changeRecord()]);
  const large = batchOf([changeRecord({ after: { text: { S: 'x'.repeat(2_000_000) } } })]);

  it('asks for one record of a key per batch if order matters', () => {
    const traits = (order: string) => kinesis.traits(kinesis.schema.parse({ stream: 's', order }));
    expect(traits('key')).to.include({ order: 'key', oncePerKey: true });
    expect(traits('none')).to.include({ order: 'none', oncePerKey: false });
  });

  it('opens without the permission to look, and takes the usual limit', async () => {
    stub.trouble = { refuse: 'AccessDeniedException', of: 'DescribeStreamSummary' };
    const sink = await open();
    expect(await sink.write(one, never)).to.deep.equal({ failed: [] });
    expect((await sink.write(large, never)).failed[0]?.reason).to.match(/ the stream takes 1048576$/);
  });

  it('takes larger records where the stream does, also where that was not known when it opened', async () => {
    expect((await (await open()).write(large, never)).failed[0]?.disposition).to.equal('reject');
    stub.maxRecordKiB = 10_240;
    expect((await (await open()).write(large, never)).failed).to.deep.equal([]);
    stub.trouble = { refuse: 'LimitExceededException', of: 'DescribeStreamSummary' };
    const sink = await open();
    expect((await sink.write(one, never)).failed).to.deep.equal([]);
    expect((await sink.write(large, never)).failed[0]).to.include({ index: 0, disposition: 'retry' });
    stub.trouble = undefined;
    expect((await sink.write(large, never)).failed).to.deep.equal([]);
  });

  it('a request that is throttled as a whole is a retry and is counted', async () => {
    const sink = await open();
    stub.trouble = 'throttle-request';
    expect((await faultOf(sink.write(one, never)))?.disposition).to.equal('retry');
    expect(host.counted('throttle')).to.equal(1);
  });

  it('trouble with the stream’s key halts, heals, and says what to allow', async () => {
    const sink = await open();
    for (const refuse of [
      'KMSAccessDeniedException',
      'KMSDisabledException',
      'KMSInvalidStateException',
      'KMSNotFoundException',
      'KMSOptInRequired',
    ]) {
      stub.trouble = { refuse };
      const fault = await faultOf(sink.write(one, never));
      expect([fault?.disposition, fault?.heals], refuse).to.deep.equal(['halt', true]);
      expect(fault?.message).to.include('kms:GenerateDataKey').and.include(refuse);
    }
    stub.trouble = { refuse: 'KMSThrottlingException' };
    expect((await faultOf(sink.write(one, never)))?.disposition).to.equal('retry');
  });

  it('expired credentials and faults of the service are retries', async () => {
    const sink = await open();
    for (const refuse of ['ExpiredTokenException', 'InternalFailureException', 'ServiceUnavailable']) {
      stub.trouble = { refuse };
      expect((await faultOf(sink.write(one, never)))?.disposition, refuse).to.equal('retry');
    }
  });

  it('a request that is refused for good is judged, so that the bad record can be found', async () => {
    const sink = await open();
    stub.trouble = { refuse: 'InvalidArgumentException' };
    const fault = await faultOf(sink.write(one, never));
    expect([fault?.disposition, fault?.judged]).to.deep.equal(['reject', true]);
  });

  it('a batch of several requests: what was written before one fails stays written', async () => {
    const script = new TableScript();
    for (let n = 0; n < 25; n += 1) script.put(suiteKey(`k${n}`), { text: { S: 'x'.repeat(900_000) } });
    const sink = await open();
    stub.failing = [];
    const before = stub.requests.length;
    const writing = sink.write(batchOf(script.records), never);
    while (stub.requests.length === before) await new Promise(resolve => setImmediate(resolve));
    stub.trouble = { refuse: 'InternalFailureException' };
    const { failed } = await writing;
    const written = stub.records('changes').length;
    expect(written).to.be.within(1, 24);
    expect(failed.map(({ index }) => index)).to.deep.equal(Array.from({ length: 25 - written }, (_, i) => written + i));
  });

  it('{table} leads to a stream for each table', async () => {
    for (const table of ['orders', 'customers']) stub.create(`${table}-changes`);
    host = testHost({
      kinesis: clients.kinesis,
      sources: ['orders', 'customers'].map(table => ({ table, region: 'us-east-1', tableId: table })),
    });
    const sink = await open({ stream: '{table}-changes' });
    const records = ['orders', 'customers', 'orders'].map((table, n) =>
      changeRecord({ n, keys: suiteKey(`k${n}`), source: recordSource({ table }) }),
    );
    await sink.write(batchOf(records), never);
    expect([stub.records('orders-changes').length, stub.records('customers-changes').length]).to.deep.equal([2, 1]);
  });

  it('names the stream that is missing when it opens', async () => {
    const fault = await faultOf(open({ stream: 'nowhere' }));
    expect([fault?.disposition, fault?.heals]).to.deep.equal(['halt', true]);
    expect(fault?.message).to.include('Create stream nowhere');
  });

  it('writes each format', async () => {
    const record = manyChanges(new TableScript(), 1, 1);
    for (const format of ['kds', 'lambda', 'debezium', 'cloudevents', 'dynamodb-json', 'json']) {
      stub.create('changes');
      await (await open({ format })).write(batchOf(record), never);
      expect(() => JSON.parse(stub.records('changes')[0]?.data ?? ''), format).not.to.throw();
    }
    expect(() => kinesis.schema.parse({ stream: 's', format: 'dynamodb-json', values: 'plain' })).to.throw('typed by its nature');
  });
});
