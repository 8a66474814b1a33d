/** What the replica connector's contract suites have in common, against the fake and against the real server. */
import type { Item } from '../../src/model/item.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { unmarked } from '../../src/replication/marker.ts';
import type { Seen, SinkPromises } from '../contract/sink/suite.ts';

const REPLICA_PROMISES: SinkPromises = {
  keeps: 'state',
  partialFailure: 'by-index',
  replay: 'harmless',
  tombstones: false,
  exactImages: true,
  recordLimit: { fits: 400_000, tooLarge: 409_600 },
};

/** Modes that the suite is run for, as options. `version` is told apart by a counter, which each item of the suite then has. */
export const REPLICA_MODES = {
  mirror: { mode: 'mirror' },
  batch: { mode: 'mirror', writes: 'batch' },
  version: { mode: 'version', versionAttribute: 'version', versionKind: 'counter' },
} as const;

export const versionOfSuite = (n: number): Item => ({ version: { N: String(n) } });

/**
 * Without conditions an old batch that is given again takes items back. In mode version the changes of a key in one batch stand or fall together: only
 * the highest is written.
 */
export function promisesOf(name: string): SinkPromises {
  if (name === 'batch') return { ...REPLICA_PROMISES, replay: 'duplicates' };
  return name === 'version' ? { ...REPLICA_PROMISES, partialFailure: 'whole-batch' } : REPLICA_PROMISES;
}

/** A table with the suites' key. */
export async function createSuiteTable(api: TableApi, table: string): Promise<void> {
  const request = {
    TableName: table,
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' as const },
      { AttributeName: 'sk', KeyType: 'RANGE' as const },
    ],
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' as const },
      { AttributeName: 'sk', AttributeType: 'N' as const },
    ],
    BillingMode: 'PAY_PER_REQUEST' as const,
  };
  await api.call('CreateTable', request, new AbortController().signal);
}

export async function readItems(api: TableApi, table: string): Promise<Seen[]> {
  const seen: Seen[] = [];
  let after: Item | undefined;
  do {
    const request = { TableName: table, ConsistentRead: true, ...(after && { ExclusiveStartKey: after }) };
    const page = await api.call('Scan', request, new AbortController().signal);
    seen.push(...page.Items.map(item => ({ after: unmarked(item, '_tm') })));
    after = page.LastEvaluatedKey;
  } while (after);
  return seen;
}
