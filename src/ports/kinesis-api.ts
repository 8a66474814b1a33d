/** Kinesis, as the connector needs it. `fast` and `sdk` twins as for tables; `Data` is text, which the adapter encodes. */
export interface KinesisEntry {
  readonly Data: string;
  readonly PartitionKey: string;
}
export interface KinesisResult {
  readonly SequenceNumber?: string;
  readonly ShardId?: string;
  readonly ErrorCode?: string;
  readonly ErrorMessage?: string;
}
export interface KinesisStream {
  readonly arn: string;
  readonly status: string;
  readonly openShards: number;
  /** Largest record in bytes that the stream takes, where the service says so. */
  readonly maxRecordBytes?: number;
}
export interface KinesisApi {
  /** One attempt; results in the order of the entries. A refusal of the whole request is thrown as ServiceFault. */
  putRecords(stream: string, entries: readonly KinesisEntry[], signal: AbortSignal): Promise<readonly KinesisResult[]>;
  describe(stream: string, signal: AbortSignal): Promise<KinesisStream>;
}
