/** The connector's own options, checked, every field described. */
import { z } from 'zod';
import { always, awsFields } from '../../src/connector.ts';
import { FORMATS } from '../../src/formats/encoded.ts';
import { STREAM_TEMPLATE } from '../../src/model/aws-names.ts';

export const optionsSchema = z
  .strictObject({
    stream: z
      .string()
      .regex(STREAM_TEMPLATE.pattern, STREAM_TEMPLATE.says)
      .meta({ description: 'Stream, by name or ARN. `{table}` stands for the name of the source table.' }),
    ...awsFields,
    client: z
      .enum(['fast', 'sdk'])
      .default('fast')
      .meta({ description: 'Client for this stream: our own thin one, or the AWS SDK (same behaviour, more CPU).' }),
    format: z
      .enum(FORMATS)
      .default('kds')
      .meta({ description: 'Form of a record; `kds` is that of Kinesis Data Streams for DynamoDB, with the sequence number added.' }),
    values: z.enum(['typed', 'plain']).optional().meta({
      description:
        'Items as DynamoDB JSON (`typed`) or as plain JSON values with lossless numbers (`plain`). Default: plain for `json`, typed for all others.',
    }),
    partitionBy: z.enum(['item', 'partitionKey']).default('item').meta({
      description:
        'Partition key of a record: the item’s full key, or its partition key alone, which keeps an item collection in one shard. Longer than 256 characters: hashed.',
    }),
    order: z.enum(['key', 'none']).default('key').meta({
      description:
        '`key`: a request holds one record of an item, the next goes out when that one is acknowledged. `none`: no order and no such ceiling.',
    }),
  })
  .refine(({ format, values }) => !(format === 'dynamodb-json' && values === 'plain'), {
    ...always,
    path: ['values'],
    error: 'format dynamodb-json is typed by its nature; format json has plain values',
  });

export type KinesisOptions = z.output<typeof optionsSchema>;
