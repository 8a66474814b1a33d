/**
 * The shortest runs that break weaker rules, each told step by step against the connector's rules; where a weaker rule can be put in its place, the run
 * shows that it is broken.
 */
import { expect } from 'chai';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import { versionMarker } from '../../src/replication/marker.ts';
import { stampOf } from '../../src/replication/stamp.ts';
import type { Condition } from '../../src/replication/versions.ts';
import { fakeTables } from '../../test/fakes/fake-table.ts';
import { recordSource, suiteKey, TableScript } from '../../test/fakes/records.ts';
import { type BenchParts, replicaBench } from '../../test/fakes/replica-bench.ts';
import { createSuiteTable } from '../../test/fakes/replica-suite.ts';
import { virtualClock } from '../../test/fakes/virtual-clock.ts';

const signal = new AbortController().signal;
const VERSION = { mode: 'version', versionKind: 'counter', versionAttribute: 'v' };
const v = (n: number) => ({ v: { N: String(n) } });
const ALWAYS: Condition = { ConditionExpression: 'attribute_not_exists(#never)', ExpressionAttributeNames: { '#never': 'never' } };

describe('runs that break weaker rules', () => {
  describe('2: a removal without a tombstone', () => {
    /** A puts, A removes; the worker that carried the put is frozen; its successor delivers both; the frozen put follows. */
    async function run(parts: BenchParts = {}) {
      const script = new TableScript();
      const [put, removal] = [script.put(suiteKey('a')), script.remove(suiteKey('a'))];
      const successor = await replicaBench(parts);
      const takenOverAt = successor.clock.now() + 60_000;
      await successor.write([removal], takenOverAt);
      await successor.write([put], takenOverAt);
      return successor;
    }

    it('brings the item back for good', async () => {
      const weak = await run({ adapt: rules => ({ ...rules, noTombstoneIf: () => ALWAYS }) });
      expect(weak.tables.items('copy')).to.have.length(1);
    });

    it('with one, the put that is given again finds it', async () => {
      expect((await run()).tables.items('copy')).to.deep.equal([]);
    });

    it('a put that was sent plain and lands after it is removed when the removal is done again', async () => {
      const [script, tables, clock] = [new TableScript(), fakeTables(), virtualClock()];
      const put = script.put(suiteKey('a'));
      // The frozen owner's request: as it was built, and signed, before.
      const frozen = await replicaBench({ tables: fakeTables(), clock });
      await frozen.write([put]);
      const { request } = frozen.calls.find(call => call.name === 'BatchExecuteStatement') ?? {};
      const successor = await replicaBench({ tables, clock });
      const takenOverAt = clock.now() + 60_000;
      await successor.write([put], takenOverAt);
      await successor.write([script.remove(suiteKey('a'))], takenOverAt);
      await tables.call('BatchExecuteStatement', request as never, signal);
      expect(tables.items('copy'), 'it is back').to.have.length(1);
      await clock.advance(16 * 60_000);
      expect(tables.items('copy'), 'not for good').to.deep.equal([]);
    });
  });

  it('3: between a local write and its stamp nothing older is let in, for local writes need no stamp', async () => {
    const [bench, script] = [await replicaBench({ options: VERSION }), new TableScript()];
    const first = script.put(suiteKey('a'), v(10));
    await bench.write([first]);
    // The replica's application updates the item; the marker of the replicated write stays in it.
    const updated = { ...suiteKey('a'), ...v(20), _tm: versionMarker('us-east-1', stampOf(1, '1') ?? '', { N: '10' }) };
    await bench.tables.call('PutItem', { TableName: 'copy', Item: updated }, signal);
    expect(await bench.write([script.put(suiteKey('a'), v(15))])).to.deep.include({ superseded: 1 });
    expect(bench.item(suiteKey('a'))).to.deep.equal(updated);
  });

  describe('5: a snapshot by unconditional put', () => {
    /** The row is read, a newer change is replicated, the row is written. */
    async function run(parts: BenchParts = {}) {
      const [bench, script] = [await replicaBench(parts), new TableScript()];
      const old = script.put(suiteKey('a'), { n: { N: '1' } });
      const row = { ...old, source: { ...old.source, origin: 'snapshot' as const } };
      await bench.write([old]);
      await bench.write([script.put(suiteKey('a'), { n: { N: '2' } })]);
      await bench.write([row]);
      return { bench, script, row };
    }

    it('takes the replica back, and it stays', async () => {
      const { bench } = await run({ adapt: rules => ({ ...rules, putIf: () => ALWAYS }) });
      expect(bench.item(suiteKey('a'))).to.deep.include({ n: { N: '1' } });
    });

    it('by its rule yields to the stream, whichever comes first, removals included', async () => {
      const { bench, script, row } = await run();
      expect(bench.item(suiteKey('a'))).to.deep.include({ n: { N: '2' } });
      await bench.write([script.remove(suiteKey('a'))]);
      await bench.write([row]);
      expect(bench.tables.items('copy')).to.deep.equal([]);
      const other = script.put(suiteKey('b'), { n: { N: '1' } });
      await bench.write([{ ...other, source: { ...other.source, origin: 'snapshot' } }]);
      await bench.write([script.put(suiteKey('b'), { n: { N: '2' } })]);
      expect(bench.item(suiteKey('b'))).to.deep.include({ n: { N: '2' } });
    });
  });

  it('6: two regions that write in one unit of time keep the same item', async () => {
    const options = { ...VERSION, versionKind: 'epochSeconds' };
    const tables = { us: fakeTables(), eu: fakeTables() };
    for (const each of [tables.us, tables.eu]) await createSuiteTable(each, 'copy');
    const clock = virtualClock();
    const second = Math.floor(clock.now() / 1000);
    const from = (region: string) => new TableScript({ source: recordSource({ region }) });
    const intoEu = await replicaBench({ clock, tables: tables.eu, options: { ...options, region: 'eu-west-1' } });
    const intoUs = await replicaBench({ clock, tables: tables.us, options: { ...options, region: 'us-east-1' } });
    const inUs = from('us-east-1').put(suiteKey('a'), { ...v(second), by: { S: 'us' } });
    const inEu = from('eu-west-1').put(suiteKey('a'), { ...v(second), by: { S: 'eu' } });
    for (const [table, record] of [
      [tables.us, inUs],
      [tables.eu, inEu],
    ] as const) {
      await table.call('PutItem', { TableName: 'copy', Item: record.after ?? {} }, signal);
    }
    await intoEu.write([inUs]);
    await intoUs.write([inEu]);
    expect([intoUs, intoEu].map(bench => bench.item(suiteKey('a'))?.['by'])).to.deep.equal([{ S: 'us' }, { S: 'us' }]);
  });

  describe('7: a sequence number without its stream', () => {
    /** Fifty writes of a key, the table is made again and counts from 1, one write. */
    async function run(parts: BenchParts = {}) {
      const [bench, script] = [await replicaBench(parts), new TableScript()];
      for (let i = 0; i < 50; i++) await bench.write([script.put(suiteKey('a'), { n: { N: String(i) } })]);
      const made = script.source.streamCreatedAt + 3_600_000;
      const again = new TableScript({
        source: recordSource({ streamCreatedAt: made, streamArn: 'arn:aws:dynamodb:us-east-1:1:table/orders/stream/later' }),
      });
      const record: ChangeRecord = { ...again.put(suiteKey('a'), { n: { N: '100' } }), token: '1' };
      return { written: await bench.write([record]), n: bench.item(suiteKey('a'))?.['n'] };
    }

    it('freezes the replica in silence', async () => {
      const naive: BenchParts['adapt'] = rules => ({
        ...rules,
        read: (record, now) => rules.read({ ...record, source: { ...record.source, streamCreatedAt: 0 } }, now),
      });
      expect(await run({ adapt: naive })).to.deep.equal({ written: { failed: [], superseded: 1 }, n: { N: '49' } });
    });

    it('with it the later stream is newer', async () => {
      expect(await run()).to.deep.equal({ written: { failed: [], superseded: 0 }, n: { N: '100' } });
    });
  });
});
