import { expect } from 'chai';
import { SinkFault } from '../../src/connector.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { TableApi, TableDescription } from '../../src/ports/table-api.ts';
import { fakeTables } from '../../test/fakes/fake-table.ts';
import { changeRecord, recordSource } from '../../test/fakes/records.ts';
import { replicaBench } from '../../test/fakes/replica-bench.ts';
import { createSuiteTable } from '../../test/fakes/replica-suite.ts';

const signal = new AbortController().signal;

async function faultOf(promise: Promise<unknown>): Promise<SinkFault> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof SinkFault) return error;
  throw new Error(`a SinkFault was expected, not ${error}`);
}

/** Says other things of tables than they are. */
const describing = (change: (table: TableDescription) => TableDescription) => (api: TableApi) =>
  ({
    call: async (name, request, signal) => {
      const answer = await api.call(name, request, signal);
      return name === 'DescribeTable' ? ({ Table: change((answer as { Table: TableDescription }).Table) } as never) : answer;
    },
  }) satisfies TableApi;

describe('replica targets', () => {
  it('a missing table halts with its name, and heals', async () => {
    const fault = await faultOf(replicaBench({ target: false }));
    expect([fault.disposition, fault.heals]).to.deep.equal(['halt', true]);
    expect(fault.message).to.match(/table copy is missing in eu-west-1.*createTable/);
  });

  it('a missing table is made with the key of the source, when the first change comes', async () => {
    const bench = await replicaBench({ target: false, options: { createTable: true } });
    expect(bench.tables.items('copy')).to.deep.equal([]);
    await bench.write([changeRecord()]);
    const { Table } = await bench.tables.call('DescribeTable', { TableName: 'copy' }, signal);
    expect(Table.KeySchema.map(each => each.AttributeName)).to.deep.equal(['pk', 'sk']);
    expect(Table.AttributeDefinitions.map(each => each.AttributeType)).to.deep.equal(['S', 'N']);
    expect(bench.tables.items('copy')).to.have.length(1);
  });

  it('a table that is still being made is waited for by retries', async () => {
    let status = 'CREATING';
    const bench = await replicaBench({
      wrap: describing(table => (table.TableName === 'copy' ? { ...table, TableStatus: status } : table)),
    });
    const fault = await faultOf(bench.write([changeRecord()]));
    expect([fault.disposition, fault.retryAfterMs]).to.deep.equal(['retry', 1_000]);
    status = 'ACTIVE';
    expect((await bench.write([changeRecord()])).failed).to.deep.equal([]);
  });

  it('another key halts before anything is written, naming both', async () => {
    const tables = fakeTables();
    const request = {
      TableName: 'copy',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' as const }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' as const }],
      BillingMode: 'PAY_PER_REQUEST' as const,
    };
    await tables.call('CreateTable', request, signal);
    const bench = await replicaBench({ tables });
    const fault = await faultOf(bench.write([changeRecord()]));
    expect(fault.message).to.include('the key of table copy is id (S), that of its source orders is pk (S), sk (N)');
    expect([fault.disposition, fault.heals]).to.deep.equal(['halt', true]);
    expect(bench.writes()).to.deep.equal([]);
  });

  it('the source itself is refused, by its id at open', async () => {
    const sources = [{ table: 'orders', region: 'us-east-1', tableId: 'one-and-the-same' }];
    const fault = await faultOf(
      replicaBench({ wrap: describing(table => ({ ...table, TableId: 'one-and-the-same' })), host: { sources } }),
    );
    expect([fault.disposition, fault.heals]).to.deep.equal(['halt', false]);
    expect(fault.message).to.include('the source table orders itself');
  });

  it('the source itself is refused, by its stream before the first write, where there are no ids', async () => {
    const bench = await replicaBench({ wrap: describing(table => ({ ...table, LatestStreamArn: recordSource().streamArn })) });
    expect((await faultOf(bench.write([changeRecord()]))).message).to.include('itself');
    expect(bench.writes()).to.deep.equal([]);
  });

  it('two source tables must not end in one; {table} tells them apart', async () => {
    const sources = ['orders', 'customers'].map(table => ({ table, region: 'us-east-1', tableId: table }));
    expect((await faultOf(replicaBench({ host: { sources } }))).message).to.include('{table}');
    const tables = fakeTables();
    for (const name of ['copy-orders', 'copy-customers']) await createSuiteTable(tables, name);
    const bench = await replicaBench({ tables, host: { sources }, options: { table: 'copy-{table}' } });
    await bench.write([changeRecord(), changeRecord({ source: recordSource({ table: 'customers' }) })]);
    expect([tables.items('copy-orders'), tables.items('copy-customers')].map(items => items.length)).to.deep.equal([1, 1]);
    expect((await faultOf(bench.sink.lookup?.(['Sa'], signal) ?? Promise.resolve())).disposition).to.equal('halt');
  });

  it('a permission that is missing at open halts with action and resource', async () => {
    const denied = (api: TableApi): TableApi => ({
      call: async (name, request, signal) => {
        if (name === 'DescribeTable') throw new ServiceFault('AccessDeniedException', 'not authorized', { class: 'denied', status: 400 });
        return api.call(name, request, signal);
      },
    });
    const fault = await faultOf(replicaBench({ wrap: denied }));
    expect([fault.disposition, fault.heals]).to.deep.equal(['halt', true]);
    expect(fault.message).to.match(/dynamodb:DescribeTable on table copy/);
  });

  it('a stream that carries too little halts with what is needed', async () => {
    const bench = await replicaBench();
    const keysOnly = changeRecord({ source: recordSource({ viewType: 'KEYS_ONLY' }) });
    expect((await faultOf(bench.write([keysOnly]))).message).to.match(/orders has view type KEYS_ONLY.*NEW_IMAGE or NEW_AND_OLD_IMAGES/);
  });

  it('the table of tombstones is made with its time to live, named by the service, and no other table will do', async () => {
    const bench = await replicaBench();
    const made = bench.calls.filter(call => call.name === 'CreateTable' || call.name === 'UpdateTimeToLive');
    expect(made.map(call => [call.name, call.request['TableName']])).to.deep.equal([
      ['CreateTable', 'test-tombstones'],
      ['UpdateTimeToLive', 'test-tombstones'],
    ]);
    const tables = fakeTables();
    await createSuiteTable(tables, 'orders-copy');
    const options = { table: '{table}-copy', tombstoneTable: 'orders-copy' };
    expect((await faultOf(replicaBench({ tables, options }))).message).to.include('tombstoneTable');
    await createSuiteTable(tables, 'other');
    expect((await faultOf(replicaBench({ tables, options: { tombstoneTable: 'other' } }))).message).to.include('not a table of tombstones');
  });

  it('no table of tombstones is made where none is needed', async () => {
    for (const options of [{ deletes: 'ignore' }, { writes: 'batch' }]) {
      const bench = await replicaBench({ options });
      expect(bench.calls.map(call => call.name)).to.deep.equal(['DescribeTable']);
      await bench.sink.close();
    }
  });
});
