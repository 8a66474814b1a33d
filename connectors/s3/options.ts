/** The archive's own options, checked, every field described. */
import { z } from 'zod';
import { awsFields } from '../../src/connector.ts';
import { BUCKET } from '../../src/model/aws-names.ts';
import { LAYOUT_TOKENS, layoutProblem } from './layout.ts';

const text = z.string().min(1);
const MIB = 1024 * 1024;

export const optionsSchema = z.strictObject({
  bucket: z.string().regex(BUCKET.pattern, BUCKET.says).meta({ description: 'Bucket, by name, or by an access point.' }),
  prefix: z
    .string()
    .regex(/^[^\s\\]*$/, 'expected no blanks and no backslashes')
    .default('')
    .meta({ description: 'Put before every object name, as it is given but for slashes at its ends.' }),
  ...awsFields,
  fileRecords: z.int().min(1).max(10_000).default(10_000).meta({ description: 'Records of a file, at most.' }),
  fileBytes: z
    .int()
    .min(1024)
    .max(256 * MIB)
    .default(16 * MIB)
    .meta({ description: 'Bytes of a file before compression, at most; one record may be more.' }),
  fileSeconds: z
    .number()
    .min(0)
    .max(3600)
    .default(60)
    .meta({ description: 'Age of a file, at most, in seconds from its first record, whether or not another comes.' }),
  conditionalPuts: z
    .enum(['required', 'auto'])
    .default('required')
    .meta({ description: '`required`: refuse a store that ignores conditional puts. `auto`: accept it, and the weaker promise.' }),
  compression: z.enum(['gzip', 'zstd', 'none']).default('gzip').meta({ description: 'Of the files; their names say it.' }),
  layout: text
    .default('table=!{table}/stream=!{stream}/dt=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}')
    .refine(layout => layoutProblem(layout) === undefined, { error: issue => layoutProblem(String(issue.input)) ?? 'not a layout' })
    .meta({ description: `Folders under the prefix, in UTC of a file's first record. Known: ${LAYOUT_TOKENS.join(', ')}.` }),
  objectLock: z
    .strictObject({
      mode: z.enum(['GOVERNANCE', 'COMPLIANCE']).meta({ description: 'Kind of lock.' }),
      retainDays: z.int().min(1).max(36_500).meta({ description: 'Days from the put.' }),
    })
    .optional()
    .meta({ description: 'Locks each object; the default retention of a bucket needs none of this.' }),
  kmsKeyId: text.optional().meta({ description: 'Key for SSE-KMS. Default: what the bucket does by itself.' }),
  digest: z.literal(false, { error: 'the digest chain is not built yet: leave `digest` out' }).default(false).meta({
    description: 'An hourly chain of digests over the files. Not built yet.',
  }),
});

export type S3Options = z.infer<typeof optionsSchema>;
