/** Every format to the letter: what consumers parse must not move. Shapes are those of AWS, Debezium and CloudEvents. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { VERSION } from '../../../src/formats/debezium-envelope.ts';
import type { EncoderOptions, Format } from '../../../src/formats/encoded.ts';
import { encoder } from '../../../src/formats/encoder.ts';
import type { ChangeRecord } from '../../../src/model/change-record.ts';
import { changeRecord, recordSource } from '../../fakes/records.ts';

const keys = { sk: { N: '1' }, pk: { S: 'a' } };
const before = { ...keys, total: { N: '1.50' } };
const after = { ...keys, total: { N: '2.0' }, tags: { SS: ['x'] } };
const place = {
  keys,
  changedAt: 1_649_930_048_000,
  token: '100000000000000000007',
  eventId: '6f773704d244414f95905e9e9045409d',
  sizeBytes: 120,
};
const modify = changeRecord({ ...place, kind: 'modify', before, after });
const insert = changeRecord({ ...place, kind: 'insert', after });
const byTtl = { type: 'Service', principalId: 'dynamodb.amazonaws.com' };
const remove = changeRecord({ ...place, kind: 'remove', before, userIdentity: byTtl });
const keysOnly = changeRecord({ ...place, kind: 'modify', before: undefined as never, source: recordSource({ viewType: 'KEYS_ONLY' }) });

const ARN = 'arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000';
const SHARD = 'shardId-00000001767225600000-0a1b2c3d';

const encoded = (format: Format, record: ChangeRecord, options?: EncoderOptions) => encoder(format, options)(record);
const parsed = (format: Format, record: ChangeRecord, options?: EncoderOptions) => JSON.parse(encoded(format, record, options).value);

const lambdaModify = {
  eventID: '6f773704d244414f95905e9e9045409d',
  eventName: 'MODIFY',
  eventVersion: '1.1',
  eventSource: 'aws:dynamodb',
  awsRegion: 'us-east-1',
  dynamodb: {
    ApproximateCreationDateTime: 1_649_930_048,
    Keys: keys,
    NewImage: after,
    OldImage: before,
    SequenceNumber: '100000000000000000007',
    SizeBytes: 120,
    StreamViewType: 'NEW_AND_OLD_IMAGES',
  },
  eventSourceARN: ARN,
};

describe('formats, to the letter', () => {
  it('lambda', () => {
    expect(parsed('lambda', modify)).to.deep.equal(lambdaModify);
    expect(parsed('lambda', insert)).to.deep.include({ eventName: 'INSERT' }).and.not.to.have.nested.property('dynamodb.OldImage');
    expect(parsed('lambda', remove)).to.deep.include({ eventName: 'REMOVE', userIdentity: byTtl });
    expect(parsed('lambda', keysOnly).dynamodb).to.have.all.keys(
      'ApproximateCreationDateTime',
      'Keys',
      'SequenceNumber',
      'SizeBytes',
      'StreamViewType',
    );
  });

  it('kds: field for field as Kinesis Data Streams for DynamoDB, and the sequence number', () => {
    const { dynamodb, ...rest } = parsed('kds', modify);
    expect(Object.keys(parsed('kds', modify))).to.deep.equal([
      'awsRegion',
      'eventID',
      'eventName',
      'userIdentity',
      'recordFormat',
      'tableName',
      'dynamodb',
      'eventSource',
    ]);
    expect(rest).to.deep.equal({
      awsRegion: 'us-east-1',
      eventID: '6f773704d244414f95905e9e9045409d',
      eventName: 'MODIFY',
      userIdentity: null,
      recordFormat: 'application/json',
      tableName: 'orders',
      eventSource: 'aws:dynamodb',
    });
    expect(dynamodb).to.deep.equal({
      ApproximateCreationDateTime: 1_649_930_048_000,
      Keys: keys,
      NewImage: after,
      OldImage: before,
      SizeBytes: 120,
      SequenceNumber: '100000000000000000007',
    });
    expect(parsed('kds', remove).userIdentity).to.deep.equal(byTtl);
  });

  it('debezium', () => {
    const { value, key, headers, contentType } = encoded('debezium', modify, { name: 'shop/orders', now: () => 1_649_930_049_001 });
    const source =
      `{"version":"${VERSION}","connector":"dynamodb","name":"shop/orders","ts_ms":1649930048000,"ts_us":1649930048000000,"ts_ns":1649930048000000000,` +
      `"db":"123456789012/us-east-1","table":"orders","sequence":"[\\"${SHARD}\\",\\"100000000000000000007\\"]","event_id":"6f773704d244414f95905e9e9045409d"}`;
    expect(value).to.equal(
      `{"before":${JSON.stringify(before)},"after":${JSON.stringify(after)},"source":${source},"op":"u",` +
        '"ts_ms":1649930049001,"ts_us":1649930049001000,"ts_ns":1649930049001000000,"transaction":null}',
    );
    expect(key).to.equal('{"pk":"a","sk":1}');
    expect([headers, contentType]).to.deep.equal([{ eventID: modify.eventId }, 'application/json']);
  });

  it('debezium: what was not there, or is not carried, is null', () => {
    const shape = ({ before, after, op, source }: Record<string, unknown>) => [
      op,
      before,
      after,
      (source as { snapshot?: string }).snapshot,
    ];
    const snapshot = changeRecord({ ...place, kind: 'insert', after, source: recordSource({ origin: 'snapshot' }) });
    expect(shape(parsed('debezium', insert))).to.deep.equal(['c', null, after, undefined]);
    expect(shape(parsed('debezium', remove))).to.deep.equal(['d', before, null, undefined]);
    expect(shape(parsed('debezium', keysOnly))).to.deep.equal(['u', null, null, undefined]);
    expect(shape(parsed('debezium', snapshot))).to.deep.equal(['r', null, after, 'true']);
    expect(parsed('debezium', remove).source.user_identity).to.deep.equal(byTtl);
    expect(parsed('debezium', changeRecord({ ...place, changedAt: 0 })).source.ts_ns).to.equal(0);
  });

  it('debezium shows the version of this package', () => {
    expect(VERSION).to.equal(JSON.parse(readFileSync('package.json', 'utf8')).version);
  });

  it('cloudevents, structured', () => {
    const { value, contentType } = encoded('cloudevents', modify);
    expect(contentType).to.equal('application/cloudevents+json; charset=UTF-8');
    expect(JSON.parse(value)).to.deep.equal({
      specversion: '1.0',
      id: '6f773704d244414f95905e9e9045409d',
      source: ARN,
      type: 'com.amazonaws.dynamodb.MODIFY',
      subject: 'orders',
      time: '2022-04-14T09:54:08.000Z',
      partitionkey: '{"pk":"a","sk":1}',
      sequence: '0000000000000000000100000000000000000007',
      datacontenttype: 'application/json',
      data: lambdaModify,
    });
  });

  it('cloudevents, binary: attributes in headers, and only the data in the value', () => {
    const { value, headers, contentType } = encoded('cloudevents', modify, { binary: true });
    expect(JSON.parse(value)).to.deep.equal(lambdaModify);
    expect(contentType).to.equal('application/json');
    expect(headers).to.deep.equal({
      eventID: '6f773704d244414f95905e9e9045409d',
      ce_specversion: '1.0',
      ce_id: '6f773704d244414f95905e9e9045409d',
      ce_source: ARN,
      ce_type: 'com.amazonaws.dynamodb.MODIFY',
      ce_subject: 'orders',
      ce_time: '2022-04-14T09:54:08.000Z',
      ce_partitionkey: '{"pk":"a","sk":1}',
      ce_sequence: '0000000000000000000100000000000000000007',
    });
  });

  it('dynamodb-json: a line of an incremental export, with what a replay needs in its metadata', () => {
    const { value } = encoded('dynamodb-json', remove, { values: 'plain' });
    expect(value).not.to.include('\n');
    expect(JSON.parse(value)).to.deep.equal({
      Metadata: {
        WriteTimestampMicros: { N: '1649930048000000' },
        EventId: { S: '6f773704d244414f95905e9e9045409d' },
        EventName: { S: 'REMOVE' },
        EventVersion: { S: '1.1' },
        SequenceNumber: { S: '100000000000000000007' },
        ShardId: { S: SHARD },
        SizeBytes: { N: '120' },
        StreamArn: { S: ARN },
        StreamViewType: { S: 'NEW_AND_OLD_IMAGES' },
        UserIdentity: { M: { type: { S: 'Service' }, principalId: { S: 'dynamodb.amazonaws.com' } } },
      },
      Keys: keys,
      OldImage: before,
    });
    expect(Object.keys(parsed('dynamodb-json', modify))).to.deep.equal(['Metadata', 'Keys', 'NewImage', 'OldImage']);
  });

  it('json: flat and plain; null where there was no item, absent where the stream does not carry it', () => {
    expect(parsed('json', modify)).to.deep.equal({
      eventID: '6f773704d244414f95905e9e9045409d',
      event: 'modify',
      table: 'orders',
      region: 'us-east-1',
      time: '2022-04-14T09:54:08.000Z',
      sequenceNumber: '100000000000000000007',
      key: { pk: 'a', sk: 1 },
      before: { pk: 'a', sk: 1, total: 1.5 },
      after: { pk: 'a', sk: 1, total: 2, tags: ['x'] },
    });
    expect(parsed('json', insert).before).to.equal(null);
    expect(parsed('json', remove)).to.deep.include({ after: null, userIdentity: byTtl });
    expect(parsed('json', keysOnly)).to.not.have.any.keys('before', 'after');
    expect(parsed('json', modify, { values: 'typed' }).after).to.deep.equal(after);
  });

  it('`values: plain` in every format that leaves the choice', () => {
    const plain = { pk: 'a', sk: 1, total: 2, tags: ['x'] };
    expect(parsed('kds', modify, { values: 'plain' }).dynamodb.NewImage).to.deep.equal(plain);
    expect(parsed('lambda', modify, { values: 'plain' }).dynamodb.NewImage).to.deep.equal(plain);
    expect(parsed('debezium', modify, { values: 'plain' }).after).to.deep.equal(plain);
    expect(parsed('cloudevents', modify, { values: 'plain' }).data.dynamodb.NewImage).to.deep.equal(plain);
  });

  it('an event that came under an unknown name is called by what it did', () => {
    for (const eventName of ['TTL_REMOVE', '']) {
      const odd = { ...remove, eventName };
      expect(parsed('lambda', odd).eventName).to.equal('REMOVE');
      expect(parsed('kds', odd).eventName).to.equal('REMOVE');
      expect(parsed('dynamodb-json', odd).Metadata.EventName).to.deep.equal({ S: 'REMOVE' });
      expect(parsed('cloudevents', odd).type).to.equal('com.amazonaws.dynamodb.REMOVE');
    }
  });
});
