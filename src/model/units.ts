/** Units that end a name everywhere: times are epoch milliseconds, durations are milliseconds. */
export type EpochMs = number;
export type Ms = number;

/** The name of a sink, unique in its pipeline. */
export type SinkName = string;

/** What one reader reads: a shard, later a scan segment or an archive range. */
export type PartitionId = string;
