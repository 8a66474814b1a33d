/**
 * Names, units and labels of every metric, in one table. Attributes are only pipeline, table, sink name, sink type, outcome, reason and error type:
 * never a shard, key or sequence number, for shards come and go every few hours.
 */
import type { Attributes } from '@opentelemetry/api';
import type { PartitionLabels, SinkLabels } from '../ports/observer.ts';

export const METRICS = {
  latency: { name: 'tidemark.replication.latency', unit: 's', description: 'Change made to durable in the sink' },
  sourceRecords: { name: 'tidemark.source.records', unit: '{record}', description: 'Records read from streams' },
  sourceSize: { name: 'tidemark.source.size', unit: 'By', description: 'Bytes read from streams' },
  sourceReads: { name: 'tidemark.source.reads', unit: '{read}', description: 'GetRecords calls, as billed' },
  sourceThrottles: { name: 'tidemark.source.throttles', unit: '{throttle}', description: 'Reads that the stream refused for their rate' },
  sinkRecords: { name: 'tidemark.sink.records', unit: '{record}', description: 'Records by what became of them' },
  batchDuration: { name: 'tidemark.sink.batch.duration', unit: 's', description: 'One write of a batch' },
  batchRecords: { name: 'tidemark.sink.batch.records', unit: '{record}', description: 'Records of a batch' },
  retries: { name: 'tidemark.sink.retries', unit: '{record}', description: 'Records that were given back to be written again' },
  sinkThrottles: { name: 'tidemark.sink.throttles', unit: '{throttle}', description: 'Writes that the target refused for their rate' },
  checkpointSaves: { name: 'tidemark.checkpoint.saves', unit: '{save}', description: 'Writes of the positions of a shard' },
  leaseMoves: { name: 'tidemark.leases.moves', unit: '{move}', description: 'Leases taken, lost and released, by reason' },
  gaps: { name: 'tidemark.gaps', unit: '{gap}', description: 'Gaps found: records that some sinks will not see' },
  conflicts: { name: 'tidemark.replica.conflicts', unit: '{conflict}', description: 'Writes that met something newer in a replica' },
  iteratorAge: { name: 'tidemark.source.iterator.age', unit: 's', description: 'Age of the oldest record not durable, over owned shards' },
  sinkLag: { name: 'tidemark.sink.lag', unit: 's', description: 'Age of the oldest record that is not durable in the sink' },
  retentionLeft: { name: 'tidemark.sink.retention.left', unit: 's', description: 'Until the oldest record that is not durable is trimmed' },
  sinkOpen: { name: 'tidemark.sink.open', unit: '{record}', description: 'Records taken and not finished' },
  memory: { name: 'tidemark.memory.usage', unit: 'By', description: 'Bytes of the records held' },
  behind: { name: 'tidemark.sinks.behind', unit: '{sink}', description: 'Sinks that are behind' },
  halted: { name: 'tidemark.sinks.halted', unit: '{sink}', description: 'Sinks that have halted' },
  parked: { name: 'tidemark.keys.parked', unit: '{key}', description: 'Keys that wait for their dead letters' },
  checkpointAge: { name: 'tidemark.checkpoint.age', unit: 's', description: 'How long positions have moved without being saved' },
  leasesOwned: { name: 'tidemark.leases.owned', unit: '{lease}', description: 'Leases held by this worker' },
  shardsOpen: { name: 'tidemark.shards.open', unit: '{shard}', description: 'Open shards of the stream' },
  shardsWaiting: { name: 'tidemark.shards.waiting', unit: '{shard}', description: 'Shards that wait for their parents' },
  lettersOpen: { name: 'tidemark.letters.open', unit: '{letter}', description: 'Dead letters not yet redriven' },
} as const;

/** Boundaries in s: a stream's lag runs from a tenth of a second to a day. */
export const LATENCY_BUCKETS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400, 43_200, 86_400];
export const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
export const RECORDS_BUCKETS = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000];

export const tableAttributes = (at: Pick<PartitionLabels, 'pipeline' | 'table'>): Attributes => ({
  'tidemark.pipeline': at.pipeline,
  'tidemark.table': at.table,
});

/** A replica's target has a table of its own, so the source's is not named. */
export const conflictAttributes = (at: Pick<SinkLabels, 'pipeline' | 'sink' | 'type'>): Attributes => ({
  'tidemark.pipeline': at.pipeline,
  'tidemark.sink.name': at.sink,
  'tidemark.sink.type': at.type,
});

export const sinkAttributes = (at: Omit<SinkLabels, 'partition'>): Attributes => ({ ...tableAttributes(at), ...conflictAttributes(at) });
