/**
 * Options of the replica connector, and what they ask of the pipeline.
 */
import { z } from 'zod';
import { always, awsFields, type TableNamed, type Traits } from '../../src/connector.ts';
import { TABLE, TABLE_TEMPLATE } from '../../src/model/aws-names.ts';
import type { AwsOptions } from '../../src/ports/table-api.ts';

const name = z.string().min(1).max(255);

export const schema = z
  .strictObject({
    table: z
      .string()
      .regex(TABLE_TEMPLATE.pattern, TABLE_TEMPLATE.says)
      .meta({ description: 'Table to write to. `{table}` stands for the name of the source table.' }),
    ...awsFields,
    client: z
      .enum(['fast', 'sdk'])
      .default('fast')
      .meta({ description: 'Client for this table: our own thin one, or the AWS SDK (same behaviour, about ten times the CPU).' }),
    mode: z
      .enum(['mirror', 'version', 'active-active'])
      .default('mirror')
      .refine(mode => mode !== 'active-active', 'active-active is not built yet; mirror and version are')
      .meta({
        description:
          '`mirror`: only this service writes the replica. `version`: applications may write it too; the last writer wins, by `versionAttribute`.',
      }),
    versionAttribute: name.default('updatedAt').meta({
      description: 'Mode version: the attribute that the application raises with every write, new = max(now, old + 1).',
    }),
    versionKind: z.enum(['epochMillis', 'epochSeconds', 'text', 'counter']).default('epochMillis').meta({
      description:
        "Mode version: what the attribute is. A removal gets the higher of the removed item's and the time of the removal in that unit (`text`: where it is ISO 8601 in UTC; `counter`: the removed item's).",
    }),
    versionMissing: z.enum(['reject', 'lowest']).default('reject').meta({
      description: 'Mode version: what becomes of an item without the attribute: refused, or taken as older than any that has it.',
    }),
    maxAheadSeconds: z
      .number()
      .min(0)
      .max(31_536_000)
      .default(900)
      .meta({ description: 'Mode version: a version further in the future is refused, for it would freeze its item.' }),
    writes: z.enum(['conditional', 'batch']).default('conditional').meta({
      description:
        '`conditional`: an item never goes back to an older state. `batch`: BatchWriteItem without conditions, items byte for byte as in the source, half the price; see the README for what it risks. Mode mirror only.',
    }),
    deletes: z
      .enum(['apply', 'ignore'])
      .default('apply')
      .meta({ description: 'Whether items that are removed at the source are removed here.' }),
    ttlDeletes: z
      .enum(['apply', 'ignore'])
      .default('apply')
      .meta({ description: "The same for removals by time to live; `ignore` leaves them to the replica's own time to live." }),
    ttlAttribute: name.optional().meta({
      description:
        'Time-to-live attribute of the source: a removal after its time counts as one by time to live also where a global table replicated it and the service is not named.',
    }),
    stampAttribute: name.default('_tm').meta({ description: "Attribute of the replica's items that says which change they are." }),
    tombstoneTable: z.string().regex(TABLE.pattern, TABLE.says).optional().meta({
      description: "Table of what is known of removed items, in the replica's region. Default: <name>-tombstones. Made when it is missing.",
    }),
    tombstoneDays: z
      .number()
      .min(1)
      .max(365)
      .default(7)
      .meta({ description: 'How long a removal is remembered: longer than any outage that is to heal by itself.' }),
    fetchItems: z
      .literal(false, 'fetchItems is not built yet: the stream must carry new images')
      .default(false)
      .meta({ description: 'Fetch items that the stream does not carry. Not built yet.' }),
    createTable: z.boolean().default(false).meta({
      description: 'Make the table when it is missing, with the key of the source table, billed on demand, when the first change comes.',
    }),
  })
  .superRefine((options, context) => {
    const wrong = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (options.mode === 'version' && options.writes === 'batch') {
      wrong('writes', 'batch writes have no conditions, and mode version needs them: use writes: conditional');
    }
    if (options.mode === 'version' && options.versionAttribute === options.stampAttribute) {
      wrong('stampAttribute', 'is the version attribute: choose another name');
    }
    if (options.tombstoneTable !== undefined && options.tombstoneTable === options.table) {
      wrong('tombstoneTable', 'is the replica itself: name another table');
    }
  }, always);

export type Options = z.output<typeof schema>;

export function awsOptions(options: Options): AwsOptions {
  const { region, endpoint, credentials, roleArn, externalId, client } = options;
  return { region, endpoint, credentials, roleArn, externalId, client };
}

/** The table itself, and the one of removals where it is named. */
export function tables(options: Options, sourceTable: string): readonly TableNamed[] {
  const aws = awsOptions(options);
  const own = { ...aws, option: 'table', table: options.table.replaceAll('{table}', sourceTable) };
  return options.tombstoneTable === undefined ? [own] : [own, { ...aws, option: 'tombstoneTable', table: options.tombstoneTable }];
}

/**
 * Only in mirror, and only when every removal counts, is a key's last change of a batch all there is to know: in mode version an earlier one may be the
 * higher, and where removals are ignored the put before one is what is to stay. In mode version the batch keeps all, and the sink picks, for there every
 * put meets its tombstone. In mirror a key comes once: a put that was settled by a removal which then failed must not be given again without it.
 */
export function traits(options: Options): Traits {
  const lastIsAll = options.mode === 'mirror' && options.deletes === 'apply' && options.ttlDeletes === 'apply';
  return {
    order: 'key',
    coalesce: lastIsAll ? 'latest-per-key' : 'never',
    oncePerKey: options.mode === 'mirror',
    inFlight: 4,
    batch: { records: 250, bytes: 4 * 1024 * 1024, waitMs: 10 },
    timeoutMs: 10_000,
  };
}
