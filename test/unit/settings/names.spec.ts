/** Names, addresses, regions: what the servers' own rules refuse is refused with the place and the rule, and what they take is taken. */
import { expect } from 'chai';
import { mistakes, type Workshop, workshop } from './workshop.ts';

const SINK_TEXT = {
  replica: 'table: copy, region: eu-west-1',
  kinesis: 'stream: changes',
  kafka: 'brokers: [b:9092], topic: orders',
  s3: 'bucket: shop-archive',
} as const;

describe('names and addresses in settings', () => {
  let shop: Workshop;
  before(() => {
    shop = workshop();
  });
  after(() => shop.remove());

  const text = ({ top = '', source = '', sink = 'type: drop' }) =>
    `name: shop\n${top}\npipelines:\n  - name: p\n    source: { table: orders${source} }\n    sinks:\n      - { name: a, ${sink} }\n`;
  const said = (more: Parameters<typeof text>[0], env = {}) => mistakes(shop.file('a.yaml', text(more)), { env });
  /** The options of a sink, some of them given anew. */
  const ofSink = (type: keyof typeof SINK_TEXT, more: string) => {
    const names = more.split(', ').map(option => option.split(':')[0]);
    const kept = SINK_TEXT[type].split(', ').filter(option => !names.includes(option.split(':')[0]));
    return said({ sink: [`type: ${type}`, ...kept, more].join(', ') });
  };

  const refused: readonly (readonly [type: keyof typeof SINK_TEXT, option: string, says: RegExp])[] = [
    ['replica', 'table: a b', /sinks\.a\.table: expected the name of a table: 3 to 255/],
    ['replica', 'table: ab', /sinks\.a\.table: expected the name of a table: 3 to 255/],
    ['replica', 'tombstoneTable: a/b', /sinks\.a\.tombstoneTable: expected the name of a table/],
    ['replica', 'region: us-east-1a', /sinks\.a\.region: expected a region, as us-east-1 \(us-east-1a is an availability zone/],
    ['replica', 'region: US-East-1', /sinks\.a\.region: expected a region/],
    ['replica', 'region: "us east 1"', /sinks\.a\.region: expected a region/],
    ['replica', 'endpoint: "localhost:8000"', /sinks\.a\.endpoint: expected an address as http:\/\/host:port or https:\/\/host$/],
    ['replica', 'endpoint: "http://h:99999"', /sinks\.a\.endpoint: expected an address .*; the port is a number up to 65535$/],
    ['replica', 'endpoint: "http://u:hunter2@h:1"', /sinks\.a\.endpoint: expected an address without user name and password/],
    ['replica', 'endpoint: "http://h/?a=1"', /sinks\.a\.endpoint: expected an address without \? and #/],
    ['replica', 'endpoint: "http://-h-/"', /sinks\.a\.endpoint: expected an address .*; this host name cannot be one/],
    ['replica', 'roleArn: admin', /sinks\.a\.roleArn: expected the ARN of a role, as arn:aws:iam::123456789012:role\/NAME/],
    ['kinesis', 'stream: a/b', /sinks\.a\.stream: expected the name of a stream: 1 to 128/],
    [`kinesis`, `stream: ${'x'.repeat(129)}`, /sinks\.a\.stream: expected the name of a stream: 1 to 128/],
    ['kinesis', 'stream: "arn:aws:kinesis:us-east-1:1:stream/x"', /sinks\.a\.stream: expected the name of a stream/],
    ['s3', 'bucket: Shop', /sinks\.a\.bucket: expected the name of a bucket: 3 to 63/],
    ['s3', 'bucket: a_b', /sinks\.a\.bucket: expected the name of a bucket/],
    ['s3', 'bucket: ab', /sinks\.a\.bucket: expected the name of a bucket/],
    ['s3', 'bucket: a..b', /sinks\.a\.bucket: expected the name of a bucket/],
    ['s3', 'bucket: -ab', /sinks\.a\.bucket: expected the name of a bucket/],
    ['s3', 'bucket: 192.168.0.1', /sinks\.a\.bucket: expected the name of a bucket/],
    ['s3', 'bucket: "s3://shop"', /sinks\.a\.bucket: expected the name of a bucket/],
    ['kafka', 'brokers: [b]', /sinks\.a\.brokers\.0: expected host:port; the port is missing/],
    ['kafka', 'topic: a/b', /sinks\.a\.topic: expected the name of a topic: 1 to 249/],
  ];
  for (const [type, option, says] of refused) {
    it(`${type} does not take ${option.slice(0, 60)}`, async () => {
      const lines = await ofSink(type, option);
      expect(lines).to.have.length(1);
      expect(lines[0])
        .to.match(says)
        .and.match(/^a\.yaml:7:\d+ /)
        .and.not.include('hunter2');
    });
  }

  const taken: readonly (readonly [type: keyof typeof SINK_TEXT, option: string])[] = [
    ['replica', 'table: "{table}"'],
    ['replica', 'table: "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"'],
    ['replica', 'region: local, endpoint: "http://dynamo_db:8000/path"'],
    ['replica', 'region: us-gov-west-1, roleArn: "arn:aws-us-gov:iam::123456789012:role/team/tidemark"'],
    ['replica', 'endpoint: "http://[::1]:8000"'],
    ['replica', 'endpoint: "https://dynamodb.eu-west-1.amazonaws.com"'],
    ['kinesis', 'stream: "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/x"'],
    ['s3', 'bucket: my.logs-2026'],
    ['s3', 'bucket: archive-abc123-s3alias, region: auto'],
    ['s3', 'bucket: "arn:aws:s3:us-east-1:123456789012:accesspoint/archive"'],
    ['kafka', 'brokers: [kafka_1:9092, 10.0.0.1:9092, b-1.msk.eu-west-1.amazonaws.com:9098]'],
    ['kafka', 'topic: "shop.{table}_v1"'],
  ];
  for (const [type, option] of taken) {
    it(`${type} takes ${option}`, async () => {
      expect(await ofSink(type, option)).to.deep.equal([]);
    });
  }

  it('of the process and the source', async () => {
    const top = 'state: { region: us-east-1b, leaseTable: a b, roleArn: x, endpoint: "http://h:1#x" }\nadmin: { host: "0.0.0.0:9464" }';
    expect(await said({ top, source: ', region: EU, streamsEndpoint: "ftp://h"' })).to.deep.equal([
      'a.yaml:2:18 state.region: expected a region, as us-east-1 (us-east-1a is an availability zone of it)',
      'a.yaml:2:42 state.leaseTable: expected the name of a table: 3 to 255 of a-z, A-Z, 0-9, _, - and .',
      'a.yaml:2:56 state.roleArn: expected the ARN of a role, as arn:aws:iam::123456789012:role/NAME',
      'a.yaml:2:69 state.endpoint: expected an address without ? and #',
      'a.yaml:3:16 admin.host: expected a host name or an IP address, without a port (that is admin.port)',
      'a.yaml:6:38 pipelines.p.source.region: expected a region, as us-east-1 (us-east-1a is an availability zone of it)',
      'a.yaml:6:59 pipelines.p.source.streamsEndpoint: expected an address as http://host:port or https://host',
    ]);
    for (const host of ['0.0.0.0', '::', '::1', 'localhost', 'tidemark.internal', 'fe80::1%eth0'])
      expect(await said({ top: `admin: { host: "${host}" }` }), host).to.deep.equal([]);
  });

  it('a bound is never named without the other', async () => {
    expect(await said({ sink: 'type: drop, batchSize: 0, parallelizationFactor: 65, timeoutSeconds: x, batchBytes: 0' })).to.deep.equal([
      'a.yaml:7:43 pipelines.p.sinks.a.batchSize: expected a whole number from 1 to 10000',
      'a.yaml:7:69 pipelines.p.sinks.a.parallelizationFactor: expected a whole number from 1 to 64',
      'a.yaml:7:89 pipelines.p.sinks.a.timeoutSeconds: expected a number from 0.05 to 900',
      'a.yaml:7:104 pipelines.p.sinks.a.batchBytes: expected a whole number, at least 1',
    ]);
  });

  describe('a table that is another one of the same file', () => {
    const SELF = 'is the source table itself: each write would come back as a change; expected another table, region or endpoint';
    const replica = (more: string) => `type: replica, ${more}`;

    it('the source, however it is spelled', async () => {
      const at = ', region: us-east-1, endpoint: "http://localhost:8000"';
      const itself = [`a.yaml:7:42 pipelines.p.sinks.a.table: ${SELF}`];
      expect(
        await said({ source: at, sink: replica('table: orders, region: us-east-1, endpoint: "http://127.0.0.1:8000/"') }),
      ).to.deep.equal(itself);
      expect(
        await said({
          source: at,
          sink: replica('table: "{table}", region: us-east-1, endpoint: "HTTP://LOCALHOST:8000"'.replace('HTTP', 'http')),
        }),
      ).to.deep.equal(itself);
      expect(await said({ sink: replica('table: orders') })).to.deep.equal(itself);
      expect(await said({ source: ', region: eu-west-1', sink: replica('table: orders') }, { AWS_REGION: 'eu-west-1' })).to.deep.equal(
        itself,
      );
      expect(await said({ sink: replica('table: orders, region: eu-west-1') }, { AWS_REGION: 'us-east-1' })).to.deep.equal([]);
      expect(await said({ sink: replica('table: copy') })).to.deep.equal([]);
    });

    it('its removals, and the state tables', async () => {
      expect(await said({ sink: replica('table: copy, tombstoneTable: orders') })).to.deep.equal([
        `a.yaml:7:64 pipelines.p.sinks.a.tombstoneTable: ${SELF}`,
      ]);
      const KEPT = 'is a state table of this service; expected another table';
      expect(await said({ sink: replica('table: shop-leases') })).to.deep.equal([`a.yaml:7:42 pipelines.p.sinks.a.table: ${KEPT}`]);
      expect(await said({ sink: replica('table: copy, tombstoneTable: shop-control') })).to.deep.equal([
        `a.yaml:7:64 pipelines.p.sinks.a.tombstoneTable: ${KEPT}`,
      ]);
    });
  });

  it('a rule between options is told also where another option is wrong', async () => {
    expect(
      await said({
        sink: 'type: replica, table: copy, mode: version, writes: batch, tombstoneDays: 0, batchBytes: 5, windowBytes: 4, batchSize: x',
      }),
    ).to.deep.equal([
      'a.yaml:7:71 pipelines.p.sinks.a.writes: batch writes have no conditions, and mode version needs them: use writes: conditional',
      'a.yaml:7:93 pipelines.p.sinks.a.tombstoneDays: expected a number from 1 to 365',
      'a.yaml:7:124 pipelines.p.sinks.a.windowBytes: expected at least batchBytes, or a batch could never fill',
      'a.yaml:7:138 pipelines.p.sinks.a.batchSize: expected a whole number from 1 to 10000',
    ]);
    expect(await said({ source: ', pollMilliseconds: 500, idleMilliseconds: 400, colour: red' })).to.have.length(2);
  });
});
