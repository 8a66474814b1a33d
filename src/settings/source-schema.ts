/** Where a pipeline reads, and the frame of a pipeline. */
import { z } from 'zod';
import { awsFields } from '../connector.ts';
import { TABLE } from '../model/aws-names.ts';
import { NAME, NAME_RULE } from './formats.ts';

export const sourceSchema = z.strictObject({
  table: z.string().regex(TABLE.pattern, TABLE.says).meta({ description: 'The table whose stream is read.' }),
  ...awsFields,
  streamsEndpoint: awsFields.endpoint.meta({
    description: 'Address of DynamoDB Streams, where the stream has one of its own (private links do).',
  }),
  startingPosition: z.enum(['TRIM_HORIZON', 'LATEST']).default('TRIM_HORIZON').meta({
    description: "For sinks of the pipeline's first start. LATEST: the tip of the shards open then; later shards from their start.",
  }),
  snapshot: z.enum(['none'], { error: 'expected none; initial is not built yet' }).default('none').meta({
    description: 'What is done with items that are already in the table: none.',
  }),
  pollMilliseconds: z.int().min(10).max(60_000).default(250).meta({
    description: 'Wait after a page that was not full; a full one is followed at once.',
  }),
  idleMilliseconds: z.int().min(10).max(300_000).optional().meta({
    description:
      'How far the wait backs off while nothing comes; at least pollMilliseconds. Default: 250, or pollMilliseconds if that is more.',
  }),
  enableStream: z.boolean().default(false).meta({ description: 'Switch a stream on where the table has none.' }),
  onGap: z.enum(['continue', 'halt'], { error: 'expected continue or halt; snapshot is not built yet' }).default('continue').meta({
    description: 'When records were lost before they were read: go on after writing the gap down, or halt the sinks that lost them.',
  }),
  traceContextAttribute: z.string().min(1).optional().meta({
    description:
      'Name of the attribute in which items carry W3C trace context (`traceparent`) of the write that made them. Spans link to it, and Kafka headers and CloudEvents pass it on.',
  }),
});

/** Source and sinks are checked by themselves. */
export const pipelineSchema = z.strictObject({
  name: z.string().regex(NAME, NAME_RULE).meta({ description: 'Unique in the file.' }),
  source: z.unknown().optional(),
  sinks: z.array(z.unknown()).min(1, 'expected a list with at least one sink'),
});

export const REFUSED_IN_SOURCE: Readonly<Record<string, string>> = {
  tables: 'not built yet: one pipeline per table, named by table',
};
