import { expect } from 'chai';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { sameImage } from '../../src/replication/image.ts';
import { unmarked } from '../../src/replication/marker.ts';
import { faultyTable } from '../../test/fakes/faulty-table.ts';
import { suiteKey, TableScript } from '../../test/fakes/records.ts';
import { type ReplicaBench, replicaBench } from '../../test/fakes/replica-bench.ts';

const BATCHED = 'BatchExecuteStatement';

function expectEqual(bench: ReplicaBench, script: TableScript): void {
  const found = bench.tables.items('copy').map(item => unmarked(item, '_tm'));
  expect(found.length).to.equal(script.items.size);
  for (const item of script.items.values())
    expect(
      found.some(each => sameImage(each, item)),
      JSON.stringify(item),
    ).to.equal(true);
}

const refusing =
  (name: string, kind: ServiceFault['class']) =>
  (api: TableApi): TableApi => ({
    call: async (operation, request, signal) => {
      if (operation === BATCHED) throw new ServiceFault(name, 'no', { class: kind, status: 400 });
      return api.call(operation, request, signal);
    },
  });

describe('replica, fast puts', () => {
  it('write inserts 25 to a call', async () => {
    const [bench, script] = [await replicaBench(), new TableScript()];
    const { failed } = await bench.write(Array.from({ length: 60 }, (_, i) => script.put(suiteKey(`k${i}`))));
    expect(failed).to.deep.equal([]);
    expect(bench.writes()).to.deep.equal([BATCHED, BATCHED, BATCHED]);
    expectEqual(bench, script);
  });

  it('write a change as an update only on top of what this process wrote itself', async () => {
    const [bench, script] = [await replicaBench(), new TableScript()];
    await bench.write([script.put(suiteKey('a'), { gone: { S: 'x' } })]);
    await bench.write([script.put(suiteKey('a'), { n: { N: '2' } })]);
    expect(bench.writes()).to.deep.equal([BATCHED, BATCHED]);
    // A change that was coalesced, filtered or lost in between: the images do not fit.
    script.put(suiteKey('a'), { n: { N: '3' } });
    await bench.write([script.put(suiteKey('a'), { n: { N: '4' } })]);
    expect(bench.writes()).to.deep.equal(['PutItem']);
    await bench.write([script.put(suiteKey('a'), { n: { N: '5' } })]);
    expect(bench.writes(), 'known again').to.deep.equal([BATCHED]);
    expectEqual(bench, script);
  });

  it('let a single put decide where an item is already, and where another wrote in between', async () => {
    const [bench, script] = [await replicaBench(), new TableScript()];
    const signal = new AbortController().signal;
    await bench.tables.call('PutItem', { TableName: 'copy', Item: { ...suiteKey('a'), loaded: { BOOL: true } } }, signal);
    await bench.write([script.put(suiteKey('a'))]);
    expect(bench.writes()).to.deep.equal([BATCHED, 'PutItem']);
    await bench.tables.call('PutItem', { TableName: 'copy', Item: { ...suiteKey('a'), other: { BOOL: true } } }, signal);
    await bench.write([script.put(suiteKey('a'), { n: { N: '2' } })]);
    expect(bench.writes()).to.deep.equal([BATCHED, 'PutItem']);
    expectEqual(bench, script);
  });

  it('leave large items, odd names and streams without old images to single puts', async () => {
    const [bench, script] = [await replicaBench(), new TableScript()];
    const large = script.put(suiteKey('large'), { text: { S: 'x'.repeat(120_000) } });
    const odd = script.put(suiteKey('odd'), { "it's": { S: 'x' } });
    const wide = script.put(
      suiteKey('wide'),
      Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`attribute-number-${i}`, { S: 'x' }])),
    );
    await bench.write([large, odd, wide]);
    expect(bench.writes()).to.deep.equal(['PutItem', 'PutItem', 'PutItem']);
    const { before: _, ...newOnly } = script.put(suiteKey('odd'), { n: { N: '1' } });
    await bench.write([newOnly]);
    expect(bench.writes()).to.deep.equal(['PutItem']);
    expectEqual(bench, script);
  });

  it('are switched off, once and with a word, for a role that may not use statements', async () => {
    const [bench, script] = [await replicaBench({ wrap: refusing('AccessDeniedException', 'denied') }), new TableScript()];
    for (const text of ['a', 'b', 'c']) expect((await bench.write([script.put(suiteKey(text))])).failed).to.deep.equal([]);
    expect(bench.writes()).to.deep.equal([BATCHED, 'PutItem', 'PutItem', 'PutItem']);
    expect(bench.host.log.lines.filter(line => line.message.includes('PartiQLInsert'))).to.have.length(1);
  });

  it('are switched off for a server that does not know them, but not by one bad batch', async () => {
    for (const [name, after] of [
      ['UnknownOperationException', ['PutItem']],
      ['ValidationException', [BATCHED, 'PutItem']],
    ] as const) {
      const [bench, script] = [await replicaBench({ wrap: refusing(name, 'invalid') }), new TableScript()];
      await bench.write([script.put(suiteKey('a'))]);
      bench.writes();
      await bench.write([script.put(suiteKey('b'))]);
      expect(bench.writes(), name).to.deep.equal([...after]);
    }
  });

  it('fail what the service fails, and only that', async () => {
    const script = new TableScript();
    const records = Array.from({ length: 30 }, (_, i) => script.put(suiteKey(`k${i}`)));
    let heal = () => {};
    const bench = await replicaBench({
      wrap: tables => {
        const faulty = faultyTable(tables);
        heal = faulty.heal;
        void faulty.faults.failRecords(records.slice(3, 4));
        return faulty.api;
      },
    });
    const { failed } = await bench.write(records);
    expect(failed.map(({ index, disposition }) => [index, disposition])).to.deep.equal([[3, 'retry']]);
    expect(bench.host.counted('throttle')).to.equal(1);
    heal();
    await bench.write(records.slice(3, 4));
    expectEqual(bench, script);
  });
});
