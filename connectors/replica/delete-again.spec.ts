import { expect } from 'chai';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { mirrorMarker } from '../../src/replication/marker.ts';
import { stampOf } from '../../src/replication/stamp.ts';
import { readTombstone, tombstoneKey } from '../../src/replication/tombstone.ts';
import { type FakeTables, fakeTables } from '../../test/fakes/fake-table.ts';
import { keptLog } from '../../test/fakes/lease-world.ts';
import { suiteKey, TableScript } from '../../test/fakes/records.ts';
import { type ReplicaBench, replicaBench } from '../../test/fakes/replica-bench.ts';
import { createSuiteTable } from '../../test/fakes/replica-suite.ts';
import { virtualClock } from '../../test/fakes/virtual-clock.ts';
import { DeleteAgain } from './delete-again.ts';

const MINUTE = 60_000;
const signal = new AbortController().signal;

/** A put of ours that was held up on its way. */
async function landLate(tables: FakeTables, script: TableScript, text: string, n = 1): Promise<void> {
  const s = stampOf(script.source.streamCreatedAt, String(n)) ?? '';
  await tables.call(
    'PutItem',
    { TableName: 'copy', Item: { ...suiteKey(text), late: { BOOL: true }, _tm: mirrorMarker(s, 'test/orders') } },
    signal,
  );
}

const tombstoneOf = (tables: FakeTables) => tables.items('test-tombstones').map(row => readTombstone(row));

async function removed(bench: ReplicaBench, script: TableScript, text: string): Promise<void> {
  await bench.write([script.put(suiteKey(text))]);
  await bench.write([script.remove(suiteKey(text))]);
}

describe('removals are done again', () => {
  it('a quarter of an hour after one that a late put may have missed', async () => {
    const [bench, script] = [await replicaBench(), new TableScript()];
    await removed(bench, script, 'a');
    const [row] = tombstoneOf(bench.tables);
    expect(row?.againAt).to.equal(bench.clock.now() + 15 * MINUTE);
    await bench.clock.advance(3 * MINUTE);
    await landLate(bench.tables, script, 'a');
    await bench.clock.advance(11 * MINUTE);
    expect(bench.tables.items('copy'), 'not before its time').to.have.length(1);
    await bench.clock.advance(2 * MINUTE);
    expect(bench.tables.items('copy')).to.deep.equal([]);
    expect(tombstoneOf(bench.tables).map(each => each?.againAt)).to.deep.equal([undefined]);
    expect(tombstoneOf(bench.tables)[0]?.version).to.deep.equal(row?.version);
  });

  it('not when nothing was given up and the shard has long been ours', async () => {
    const [bench, script] = [await replicaBench(), new TableScript()];
    await bench.write([script.put(suiteKey('first'))]);
    await bench.clock.advance(16 * MINUTE);
    await removed(bench, script, 'a');
    expect(tombstoneOf(bench.tables).map(row => row?.againAt)).to.deep.equal([undefined]);
  });

  it('when a put of the key was given up, though the shard has long been ours', async () => {
    let isLost = false;
    const wrap = (api: TableApi): TableApi => ({
      call: async (name, request, signal) => {
        if (isLost) throw new ServiceFault('ECONNRESET', 'lost', { class: 'network' });
        return api.call(name, request, signal);
      },
    });
    const [bench, script] = [await replicaBench({ wrap }), new TableScript()];
    await bench.write([script.put(suiteKey('first'))]);
    await bench.clock.advance(16 * MINUTE);
    isLost = true;
    const put = script.put(suiteKey('a'));
    expect((await bench.write([put])).failed.map(each => each.disposition)).to.deep.equal(['retry']);
    isLost = false;
    await bench.write([put]);
    await bench.write([script.remove(suiteKey('a'))]);
    expect(tombstoneOf(bench.tables).map(row => row?.againAt)).to.deep.equal([bench.clock.now() + 15 * MINUTE]);
  });

  it('by the next process, which finds what is due in the table, page by page', async () => {
    const [tables, clock, script] = [fakeTables({ scanRows: 2 }), virtualClock(), new TableScript()];
    const first = await replicaBench({ tables, clock });
    for (let i = 0; i < 7; i++) await removed(first, script, `k${i}`);
    await first.sink.close();
    await clock.advance(2 * MINUTE);
    for (let i = 0; i < 7; i++) await landLate(tables, script, `k${i}`);
    await clock.advance(20 * MINUTE);
    expect(tables.items('copy'), 'nobody is there').to.have.length(7);
    const second = await replicaBench({ tables, clock });
    await clock.advance(2_000);
    expect(tables.items('copy')).to.deep.equal([]);
    expect(second.calls.filter(call => call.name === 'Scan').length).to.be.at.least(4);
    await second.sink.close();
  });

  it('by the next process in their time, where they are not due yet', async () => {
    const [tables, clock, script] = [fakeTables(), virtualClock(), new TableScript()];
    const first = await replicaBench({ tables, clock });
    await removed(first, script, 'a');
    await first.sink.close();
    const second = await replicaBench({ tables, clock });
    await landLate(tables, script, 'a');
    await clock.advance(14 * MINUTE);
    expect(tables.items('copy')).to.have.length(1);
    await clock.advance(2 * MINUTE);
    expect(tables.items('copy')).to.deep.equal([]);
    await second.sink.close();
  });

  it('by a process that takes a shard over while it runs, from an owner that is gone', async () => {
    const [tables, clock, script] = [fakeTables(), virtualClock(), new TableScript()];
    const survivor = await replicaBench({ tables, clock });
    await clock.advance(20 * MINUTE);
    const gone = await replicaBench({ tables, clock });
    await removed(gone, script, 'a');
    await gone.sink.close();
    await landLate(tables, script, 'a');
    await survivor.write([script.put(suiteKey('b'))], clock.now() + 1);
    await clock.advance(17 * MINUTE);
    expect(tables.items('copy').map(item => item['pk'])).to.deep.equal([{ S: 'b' }]);
    await survivor.sink.close();
  });

  it('without touching what a loader or a later change has put there', async () => {
    const [bench, script] = [await replicaBench(), new TableScript()];
    for (const text of ['loaded', 'again']) await removed(bench, script, text);
    await bench.tables.call('PutItem', { TableName: 'copy', Item: suiteKey('loaded') }, signal);
    await bench.write([script.put(suiteKey('again'))]);
    await bench.clock.advance(16 * MINUTE);
    expect(bench.tables.items('copy')).to.have.length(2);
    expect(tombstoneOf(bench.tables).map(row => row?.againAt)).to.deep.equal([undefined, undefined]);
  });

  it('later, when it does not succeed; and not after close', async () => {
    let isDenied = false;
    const wrap = (api: TableApi): TableApi => ({
      call: async (name, request, signal) => {
        if (isDenied && name === 'DeleteItem') throw new ServiceFault('AccessDeniedException', 'no', { class: 'denied' });
        return api.call(name, request, signal);
      },
    });
    const [bench, script] = [await replicaBench({ wrap }), new TableScript()];
    await removed(bench, script, 'a');
    await landLate(bench.tables, script, 'a');
    isDenied = true;
    await bench.clock.advance(17 * MINUTE);
    const warnings = bench.host.log.lines.filter(line => line.level === 'warn');
    expect(warnings.length, 'a few lines').to.be.within(1, 5);
    expect(bench.tables.items('copy')).to.have.length(1);
    isDenied = false;
    await bench.clock.advance(MINUTE);
    expect(bench.tables.items('copy')).to.deep.equal([]);
    await removed(bench, script, 'b');
    await landLate(bench.tables, script, 'b');
    await bench.sink.close();
    await bench.clock.advance(60 * MINUTE);
    expect(bench.tables.items('copy')).to.have.length(1);
    expect(bench.clock.pending).to.equal(0);
  });

  it('leaves the rows of other sinks to them, and more than it keeps to the next reading', async () => {
    const [tables, clock] = [fakeTables(), virtualClock()];
    await createSuiteTable(tables, 'copy');
    const open = await replicaBench({ tables, clock });
    await open.sink.close();
    const chore = new DeleteAgain({
      api: tables,
      clock,
      log: keptLog(),
      tombstoneTable: 'test-tombstones',
      tables: ['copy'],
      removeAgainIf: () => ({ ConditionExpression: 'attribute_exists(#k)', ExpressionAttributeNames: { '#k': 'pk' } }),
    });
    chore.start();
    await clock.advance(1);
    const dueAt = clock.now() + MINUTE;
    const rows = [...Array.from({ length: 10_050 }, (_, i) => `k${i}`), 'other'].map(text => ({
      text,
      table: text === 'other' ? 'other' : 'copy',
    }));
    await createSuiteTable(tables, 'other');
    for (const { text, table } of rows) {
      const row = {
        key: tombstoneKey(table, text),
        table,
        keys: suiteKey(text),
        version: { s: 's', p: 'p', removed: true },
        againAt: dueAt,
      };
      const Item = {
        key: { S: row.key },
        table: { S: table },
        keys: { M: row.keys },
        s: { S: 's' },
        p: { S: 'p' },
        againAt: { N: String(dueAt) },
      };
      await tables.call('PutItem', { TableName: 'test-tombstones', Item }, signal);
      await tables.call('PutItem', { TableName: table, Item: suiteKey(text) }, signal);
      if (table === 'copy') chore.note(row);
    }
    await clock.advance(2 * MINUTE);
    expect(tables.items('copy')).to.have.length(50);
    await clock.advance(17 * MINUTE);
    expect(tables.items('copy')).to.deep.equal([]);
    expect(tables.items('other')).to.have.length(1);
    await chore.close();
  }).timeout(20_000);
});
