/**
 * Kinesis in this process, over HTTP: streams, shards, PutRecords with the service's limits, and what no local server does: it throttles, fails some records
 * of a request, denies. It passes the same contract as the server, so it may stand in for it.
 */
import { createHash } from 'node:crypto';
import { type AwsStub, refusal, type StubAnswer, type StubRequest, startAwsStub } from './aws-stub.ts';

export type KinesisTrouble =
  | 'hang'
  | 'drop'
  | 'lose-answers'
  | 'throttle-records'
  | 'throttle-request'
  | { readonly refuse: string; readonly of?: 'DescribeStreamSummary' };

interface WireEntry {
  readonly Data: string;
  readonly PartitionKey: string;
}

export interface StoredRecord {
  readonly data: string;
  readonly partitionKey: string;
}

const SHARDS = 3;

export class StubKinesis {
  readonly #streams = new Map<string, StoredRecord[][]>();
  #stub: AwsStub | undefined;
  trouble: KinesisTrouble | undefined;
  /** Records whose data holds one of these texts are not taken. */
  failing: readonly string[] = [];
  maxRecordKiB: number | undefined;
  /** Sizes of the requests for writing that were answered or lost. */
  readonly requests: number[] = [];

  async start(): Promise<void> {
    this.#stub = await startAwsStub(request => this.#answer(request));
  }

  async stop(): Promise<void> {
    await this.#stub?.stop();
  }

  get endpoint(): string {
    return this.#stub?.endpoint ?? '';
  }

  create(stream: string): void {
    this.#streams.set(
      stream,
      Array.from({ length: SHARDS }, () => []),
    );
  }

  drop(stream: string): void {
    this.#streams.delete(stream);
  }

  /** Everything of a stream, shard by shard. */
  records(stream: string): readonly StoredRecord[] {
    return (this.#streams.get(stream) ?? []).flat();
  }

  #answer({ operation, json }: StubRequest): StubAnswer {
    const { trouble } = this;
    if (trouble === 'hang') return { hang: true };
    if (trouble === 'drop') return { drop: 'whole' };
    if (typeof trouble === 'object' && operation === (trouble.of ?? operation))
      return refusal(trouble.refuse, `User: u is not allowed: ${operation}`);
    const name = String(json['StreamName']);
    const shards = this.#streams.get(name);
    if (shards === undefined) return refusal('ResourceNotFoundException', `Stream ${name} under account 123456789012 not found.`);
    if (operation !== 'PutRecords') return this.#summary(name);
    return this.#put(shards, json['Records'] as readonly WireEntry[]);
  }

  #summary(name: string): StubAnswer {
    return {
      json: {
        StreamDescriptionSummary: {
          StreamName: name,
          StreamARN: `arn:aws:kinesis:us-east-1:123456789012:stream/${name}`,
          StreamStatus: 'ACTIVE',
          OpenShardCount: SHARDS,
          ...(this.maxRecordKiB && { MaxRecordSizeInKiB: this.maxRecordKiB }),
        },
      },
    };
  }

  #put(shards: readonly StoredRecord[][], entries: readonly WireEntry[]): StubAnswer {
    if (this.trouble === 'throttle-request') return refusal('ProvisionedThroughputExceededException', 'Rate exceeded');
    const fault = this.#limitFault(entries);
    if (fault !== undefined) return refusal('ValidationException', fault);
    const results = entries.map(entry => this.#store(shards, entry));
    this.requests.push(entries.length);
    if (this.trouble === 'lose-answers') return { drop: 'whole' };
    return { json: { FailedRecordCount: results.filter(result => 'ErrorCode' in result).length, Records: results } };
  }

  #store(shards: readonly StoredRecord[][], { Data, PartitionKey }: WireEntry) {
    const data = Buffer.from(Data, 'base64').toString('utf8');
    const at = (createHash('md5').update(PartitionKey).digest()[0] ?? 0) % SHARDS;
    const shard = `shardId-00000000000${at}`;
    if (this.trouble === 'throttle-records') {
      const ErrorMessage = `Rate exceeded for shard ${shard} in stream s under account 123456789012.`;
      return { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage };
    }
    if (this.failing.some(text => data.includes(text))) return { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal service failure.' };
    shards[at]?.push({ data, partitionKey: PartitionKey });
    return { SequenceNumber: String(shards[at]?.length), ShardId: shard };
  }

  #limitFault(entries: readonly WireEntry[]): string | undefined {
    const sizes = entries.map(({ Data, PartitionKey }) => Buffer.byteLength(Data, 'base64') + Buffer.byteLength(PartitionKey));
    if (entries.length > 500) return 'Member must have length less than or equal to 500';
    if (entries.some(({ PartitionKey }) => PartitionKey.length > 256)) return 'PartitionKey: length less than or equal to 256';
    if (sizes.some(bytes => bytes > (this.maxRecordKiB ?? 1024) * 1024)) return 'Record size exceeds the limit of the stream';
    return sizes.reduce((sum, bytes) => sum + bytes, 0) > 10 * 1024 * 1024 ? 'Records size exceeds 10 MB limit' : undefined;
  }
}
