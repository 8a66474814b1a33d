/** The Kinesis sink's own options, checked, every field described. */
import { z } from 'zod';
import { awsFields } from '../../src/connector.ts';
import { FORMATS } from '../../src/formats/encoded.ts';

export const optionsSchema = z.strictObject({
  stream: z.string().min(1).max(128).meta({ description: 'Stream.' }),
  ...awsFields,
  client: z.enum(['fast', 'sdk']).default('fast').meta({ description: '`fast`: our own thin client. `sdk`: the AWS SDK.' }),
  format: z
    .enum(FORMATS)
    .default('kds')
    .meta({ description: 'How a change is written; `kds` is a superset of Kinesis Data Streams for DynamoDB.' }),
  values: z
    .enum(['typed', 'plain'])
    .optional()
    .meta({
      description: 'Images as typed DynamoDB JSON or as plain values, where the format leaves the choice. Default: the format’s own.',
    }),
  partitionBy: z
    .enum(['item', 'partitionKey'])
    .default('item')
    .meta({
      description: 'Partition key of a record: the item’s full key, or its partition key alone. Longer than 256 characters: hashed.',
    }),
  order: z
    .enum(['key', 'none'])
    .default('key')
    .meta({ description: '`key`: one record of a key per request until it is acknowledged. `none`: no order, no such ceiling.' }),
});

export type KinesisOptions = z.infer<typeof optionsSchema>;
