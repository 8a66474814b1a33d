/**
 * A table with a stream of one open shard, spoken over HTTP (`startAwsStub`), with times of true seconds: where a local server cuts them to the minute, or
 * cannot be made to trim, to deny or to send events that nobody knows.
 */
import { refusal, type StubAnswer, type StubRequest } from './aws-stub.ts';

const ARN = 'arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-01-01T00:00:00.000';
const SHARD = 'shardId-00000001764072000000-00000001';
const KEYS = [{ AttributeName: 'pk', KeyType: 'HASH' }];

const TABLE = {
  TableName: 'orders',
  TableArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/orders',
  TableId: 'table-id',
  TableStatus: 'ACTIVE',
  KeySchema: KEYS,
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  LatestStreamArn: ARN,
  StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
};

const STREAM = {
  StreamArn: ARN,
  StreamStatus: 'ENABLED',
  StreamViewType: 'NEW_AND_OLD_IMAGES',
  KeySchema: KEYS,
  Shards: [{ ShardId: SHARD, SequenceNumberRange: { StartingSequenceNumber: numberOf(1) } }],
};

function numberOf(n: number): string {
  return String(n).padStart(21, '0');
}

export class StubStream {
  readonly records: object[] = [];
  /** So many of the oldest records are not held any more. */
  trimmed = 0;
  /** Asked first. */
  judge: (operation: string) => StubAnswer | undefined = () => undefined;

  /** Answers when they were made, as the stream says it. */
  write(count: number, more: { eventName?: string; removed?: boolean } = {}): number {
    const second = Math.floor(Date.now() / 1000);
    for (let i = 0; i < count; i += 1) {
      const n = this.records.length + 1;
      const keys = { pk: { S: `k${n}` } };
      this.records.push({
        eventID: `event-${n}`,
        eventName: more.eventName ?? 'INSERT',
        eventVersion: '1.1',
        eventSource: 'aws:dynamodb',
        awsRegion: 'us-east-1',
        dynamodb: {
          ApproximateCreationDateTime: second,
          Keys: keys,
          ...(more.removed ? { OldImage: keys } : { NewImage: keys }),
          SequenceNumber: numberOf(n),
          SizeBytes: 10,
          StreamViewType: 'NEW_AND_OLD_IMAGES',
        },
      });
    }
    return second * 1000;
  }

  readonly answer = ({ operation, json }: StubRequest): StubAnswer => this.judge(operation) ?? this.#answer(operation, json);

  #answer(operation: string, json: StubRequest['json']): StubAnswer {
    switch (operation) {
      case 'DescribeTable':
        return { json: { Table: TABLE } };
      case 'DescribeStream':
        return { json: { StreamDescription: STREAM } };
      case 'GetShardIterator':
        return this.#iterator(String(json['ShardIteratorType']), Number(json['SequenceNumber'] ?? 0));
      default:
        return this.#read(Number(json['ShardIterator']));
    }
  }

  #iterator(type: string, number: number): StubAnswer {
    if (type === 'TRIM_HORIZON') return { json: { ShardIterator: String(this.trimmed) } };
    if (type === 'LATEST') return { json: { ShardIterator: String(this.records.length) } };
    if (number < this.trimmed) return refusal('TrimmedDataAccessException', 'the record has been trimmed');
    return { json: { ShardIterator: String(number) } };
  }

  #read(from: number): StubAnswer {
    const next = Math.min(from + 1000, this.records.length);
    return { json: { Records: this.records.slice(from, from + 1000), NextShardIterator: String(next) } };
  }
}
