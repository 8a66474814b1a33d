/** The options that every sink has beside its connector's own, named as Lambda's event source mapping names them. */
import { z } from 'zod';
import type { Delivery } from '../model/delivery.ts';
import { NAME, NAME_RULE } from './formats.ts';

const name = z.string().regex(NAME, NAME_RULE);
const startingPosition = z.enum(['TRIM_HORIZON', 'LATEST']);

export const deliveryFields = {
  batchSize: z.int().min(1).max(10_000).optional().meta({ description: "Records in a batch. Default: the connector's." }),
  batchBytes: z.int().min(1).optional().meta({ description: "Wire bytes of a batch. Default: the connector's." }),
  maximumBatchingWindowInSeconds: z.number().min(0).max(300).optional().meta({
    description: "How long a batch waits to fill; a ceiling: pressure on memory and a shard's end cut earlier. Default: the connector's.",
  }),
  parallelizationFactor: z.int().min(1).max(64).optional().meta({
    description: "Batches in flight per shard; a key is in at most one. Default: the connector's.",
  }),
  windowBytes: z.int().min(1).optional().meta({
    description:
      "Bytes taken and not finished, per shard. Default: 8 MiB, or two batches if that is more; never more than the sink's share of limits.memoryMiB.",
  }),
  timeoutSeconds: z.number().min(0.05).max(900).optional().meta({ description: "Of one write. Default: the connector's, mostly 10." }),
  maximumBackoffSeconds: z.number().min(0.05).max(3600).default(10).meta({ description: 'Longest wait before a retry.' }),
  maximumRetryAttempts: z.int().min(-1).max(10_000).default(-1).meta({
    description: 'Retries of a record, -1: for ever. When they run out the sink halts.',
  }),
  maximumRecordAgeInSeconds: z
    .int()
    .min(-1)
    .max(604_800)
    .refine(value => value === -1 || value >= 60, 'expected -1, or 60 to 604800')
    .default(-1)
    .meta({ description: 'Age at which a record is not tried again and the sink halts: 60 to 604,800; -1: no limit.' }),
  bisectBatchOnFunctionError: z.boolean().default(true).meta({
    description: 'Cut a batch that the target judged bad in halves to find the bad record. Never on throttles, timeouts, network faults.',
  }),
  onExhausted: z.enum(['halt'], { error: 'expected halt; drop is not built yet' }).default('halt').meta({
    description: 'What happens when retries or age run out, or a record is refused.',
  }),
};

/** What every sink has; its connector's own options stand beside them. */
export const sinkSchema = z.strictObject({
  name: name.meta({ description: 'Unique in the pipeline. Positions hang on it.' }),
  type: z.string().min(1).meta({ description: 'The connector: a folder of connectors/, or an installed package.' }),
  enabled: z.boolean().default(true).meta({ description: 'A disabled sink holds nothing back; its positions are kept.' }),
  renamedFrom: name
    .optional()
    .meta({ description: 'Its former name, under which its positions are found. Its new name must never have been in use.' }),
  startingPosition: startingPosition.optional().meta({
    description: "For a sink without positions. Default: the source's at the pipeline's first start, else TRIM_HORIZON.",
  }),
  ...deliveryFields,
});

export function deliveryOf(sink: z.output<typeof sinkSchema>): Delivery {
  return {
    batchSize: sink.batchSize,
    batchBytes: sink.batchBytes,
    maximumBatchingWindowInSeconds: sink.maximumBatchingWindowInSeconds,
    parallelizationFactor: sink.parallelizationFactor,
    windowBytes: sink.windowBytes,
    timeoutSeconds: sink.timeoutSeconds,
    maximumBackoffSeconds: sink.maximumBackoffSeconds,
    maximumRetryAttempts: sink.maximumRetryAttempts,
    maximumRecordAgeInSeconds: sink.maximumRecordAgeInSeconds,
    bisectBatchOnFunctionError: sink.bisectBatchOnFunctionError,
  };
}

/** Names of the contract that mean something, but not here or not yet. */
export const REFUSED_IN_SINK: Readonly<Record<string, string>> = {
  onFailure: 'not built yet: a refused record halts its sink, position kept',
  rejectBudget: 'not built yet: the first refused record halts its sink',
  parkKeys: 'not built yet',
  filterCriteria: 'not built yet',
  onFilterExit: 'not built yet',
  transform: 'not built yet',
  deduplicate: 'not built yet',
  functionResponseTypes: 'not built yet',
  tumblingWindowInSeconds: "not an option here: aggregates over changes are the view connector's work",
  destinationConfig: 'not an option here: its name is onFailure, which is not built yet',
};
