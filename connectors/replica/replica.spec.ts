/** The contract suite of connectors, against tables in memory. */
import { describeSink } from '../../test/contract/describe-sink.ts';
import { fakeTables } from '../../test/fakes/fake-table.ts';
import { faultyTable } from '../../test/fakes/faulty-table.ts';
import { createSuiteTable, promisesOf, REPLICA_MODES, readItems, versionOfSuite } from '../../test/fakes/replica-suite.ts';
import replica from './index.ts';

for (const [name, mode] of Object.entries(REPLICA_MODES)) {
  describeSink(`replica (${name})`, {
    connector: replica,
    sample: { table: 'copy', ...mode },
    target: async () => {
      const tables = fakeTables();
      const { api, faults, heal } = faultyTable(tables);
      await createSuiteTable(tables, 'copy');
      return {
        options: { table: 'copy', region: 'eu-west-1', ...mode },
        host: { table: () => api },
        resource: 'table copy',
        action: name === 'batch' ? 'dynamodb:BatchWriteItem' : 'dynamodb:PutItem',
        readBack: () => readItems(tables, 'copy'),
        faults: { ...faults, remove: async () => tables.drop('copy') },
        heal: async () => {
          heal();
          await createSuiteTable(tables, 'copy').catch(() => {});
        },
      };
    },
    promises: promisesOf(name),
    cannot: {},
    quietMs: 0,
    ...(name === 'version' && { attributes: versionOfSuite }),
  });
}
