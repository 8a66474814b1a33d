/** An open replica sink over tables in memory and a virtual clock, with every request it made. The source has the key `pk`, `sk`, as the record builders. */
import { type Adapt, openReplica } from '../../connectors/replica/open.ts';
import { schema } from '../../connectors/replica/options.ts';
import type { Sink, Written } from '../../src/connector.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import type { Item } from '../../src/model/item.ts';
import type { EpochMs } from '../../src/model/units.ts';
import type { TableApi, TableOperations } from '../../src/ports/table-api.ts';
import { type FakeTables, fakeTables } from './fake-table.ts';
import { batchOf } from './records.ts';
import { createSuiteTable } from './replica-suite.ts';
import { type TestHost, type TestHostParts, testHost } from './test-host.ts';
import { type VirtualClock, virtualClock } from './virtual-clock.ts';

export interface Call {
  readonly name: keyof TableOperations;
  readonly request: Record<string, unknown>;
}

export interface BenchParts {
  readonly options?: object;
  readonly tables?: FakeTables;
  readonly clock?: VirtualClock;
  /** Around the tables: faults. */
  readonly wrap?: (api: TableApi) => TableApi;
  readonly adapt?: Adapt;
  readonly host?: TestHostParts;
  /** False: there is none. */
  readonly target?: boolean;
}

export interface ReplicaBench {
  readonly sink: Sink;
  readonly tables: FakeTables;
  readonly clock: VirtualClock;
  readonly host: TestHost;
  readonly calls: Call[];
  /** Names of the requests since the last time, without those that only look. */
  writes(): string[];
  write(records: readonly ChangeRecord[], replayedBefore?: EpochMs): Promise<Written>;
  item(keys: Item): Item | undefined;
}

const LOOKS = new Set<string>(['DescribeTable', 'DescribeTimeToLive', 'UpdateTimeToLive', 'CreateTable', 'Scan', 'BatchGetItem']);

export async function replicaBench(parts: BenchParts = {}): Promise<ReplicaBench> {
  const tables = parts.tables ?? fakeTables();
  const clock = parts.clock ?? virtualClock();
  if (parts.target ?? true) await createSuiteTable(tables, 'copy').catch(() => {});
  const calls: Call[] = [];
  const wrapped = parts.wrap?.(tables) ?? tables;
  const api: TableApi = {
    call: (name, request, signal) => {
      calls.push({ name, request: request as Record<string, unknown> });
      return wrapped.call(name, request, signal);
    },
  };
  const host = testHost({ clock, table: () => api, ...parts.host });
  const options = schema.parse({ table: 'copy', region: 'eu-west-1', ...parts.options });
  const sink = await openReplica(options, host, parts.adapt);
  let told = 0;
  return {
    sink,
    tables,
    clock,
    host,
    calls,
    writes: () => {
      const names = calls.slice(told).map(call => call.name);
      told = calls.length;
      return names.filter(name => !LOOKS.has(name));
    },
    write: (records, replayedBefore = 0) => sink.write(batchOf(records, replayedBefore), new AbortController().signal),
    item: keys =>
      tables
        .items('copy')
        .find(item => Object.entries(keys).every(([name, value]) => JSON.stringify(item[name]) === JSON.stringify(value))),
  };
}
