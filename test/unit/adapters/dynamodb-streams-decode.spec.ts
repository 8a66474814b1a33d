import { expect } from 'chai';
import fc from 'fast-check';
import { decodeRecords } from '../../../src/adapters/dynamodb-streams-decode.ts';
import type { WireRecord } from '../../../src/adapters/dynamodb-streams-wire.ts';
import { isTtlDelete, type Source } from '../../../src/model/change-record.ts';

const SOURCE: Source = {
  origin: 'stream',
  table: 'orders',
  region: 'eu-west-1',
  streamArn: 'arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-11-23T01:02:03.004',
  streamCreatedAt: 0,
  viewType: 'NEW_AND_OLD_IMAGES',
  keyNames: ['pk', 'sk'],
  partition: 'shardId-1',
};
const KEYS = { pk: { S: 'a' }, sk: { N: '1.0' } };

const decode = (records: readonly WireRecord[], bodyBytes = 0, source = SOURCE) =>
  decodeRecords(records, { source, bodyBytes, untypedValues: false, onUntyped: () => {} });

describe('decoding stream records', () => {
  it('thirty-eight-digit-number: carries every field, and images as the same objects, so that no value is touched', () => {
    const wire: WireRecord = {
      eventID: 'e1',
      eventName: 'MODIFY',
      eventVersion: '1.1',
      dynamodb: {
        ApproximateCreationDateTime: 1_479_499_740.25,
        Keys: KEYS,
        OldImage: { ...KEYS, n: { N: '12345678901234567890123456789012345678' } },
        NewImage: { ...KEYS, b: { B: 'AAEC' } },
        SequenceNumber: '400000000000000499660',
        SizeBytes: 41,
      },
    };
    const [record] = decode([wire], 500);
    expect(record).to.deep.equal({
      source: SOURCE,
      kind: 'modify',
      key: '2:SaN1',
      keys: KEYS,
      before: wire.dynamodb?.OldImage,
      after: wire.dynamodb?.NewImage,
      token: '400000000000000499660',
      changedAt: 1_479_499_740_250,
      eventId: 'e1',
      eventName: 'MODIFY',
      eventVersion: '1.1',
      sizeBytes: 41,
      bytes: 500,
    });
    expect(record?.after).to.equal(wire.dynamodb?.NewImage);
    expect(record?.source).to.equal(SOURCE);
  });

  it('ttl-delete-flag: tells a removal by time to live, in both spellings of its identity, and no other', () => {
    const removal = (userIdentity: object): WireRecord => ({ eventName: 'REMOVE', userIdentity, dynamodb: { Keys: KEYS } });
    const [upper, lower, other, somebody] = decode([
      removal({ Type: 'Service', PrincipalId: 'dynamodb.amazonaws.com' }),
      removal({ type: 'Service', principalId: 'dynamodb.amazonaws.com' }),
      { eventName: 'REMOVE', userIdentity: null, dynamodb: { Keys: KEYS } },
      removal({ type: 'AssumedRole', principalId: 'AROA:somebody' }),
    ]);
    expect(upper?.userIdentity).to.deep.equal({ type: 'Service', principalId: 'dynamodb.amazonaws.com' });
    expect(upper && isTtlDelete(upper)).to.equal(true);
    expect(lower && isTtlDelete(lower)).to.equal(true);
    expect(other && isTtlDelete(other)).to.equal(false);
    expect(somebody && isTtlDelete(somebody)).to.equal(false);
  });

  it('unknown-fields-and-version: tolerates what is new and does without what may be missing', () => {
    const wire = {
      eventName: 'INSERT',
      eventVersion: '7.3',
      surprise: 1,
      dynamodb: { Keys: KEYS, OldImage: null, NewImage: null, More: {} },
    } as WireRecord;
    const [record] = decode([wire]);
    expect(record).to.not.have.any.keys('before', 'after', 'userIdentity');
    expect(record).to.include({ kind: 'insert', eventVersion: '7.3', changedAt: 0, sizeBytes: 0 });
  });

  it('carries attributes with the names of prototypes', () => {
    const wire = JSON.parse('{"eventName":"INSERT","dynamodb":{"Keys":{"__proto__":{"S":"k"}},"NewImage":{"__proto__":{"S":"k"}}}}');
    const [record] = decode([wire], 0, { ...SOURCE, keyNames: ['__proto__'] });
    expect(record?.key).to.equal('Sk');
    expect(JSON.stringify(record?.after)).to.equal('{"__proto__":{"S":"k"}}');
  });

  it('refuses a record without its key, for that is no record of the table', () => {
    expect(() => decode([{ eventName: 'INSERT', dynamodb: { Keys: { pk: { S: 'a' } } } }])).to.throw(/"sk" is missing/);
  });

  it('shares the bytes of the answer among its records, to the last one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400_000), { minLength: 1, maxLength: 200 }), fc.nat(2 ** 30), (sizes, bodyBytes) => {
        const records = decode(
          sizes.map(SizeBytes => ({ eventName: 'INSERT', dynamodb: { Keys: KEYS, SizeBytes } })),
          bodyBytes,
        );
        expect(records.reduce((sum, record) => sum + record.bytes, 0)).to.equal(bodyBytes);
        for (const record of records) expect(record.bytes).to.be.at.least(0);
      }),
      { numRuns: 50 },
    );
  });
});
