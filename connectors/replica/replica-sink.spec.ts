import { expect } from 'chai';
import { versionMarker } from '../../src/replication/marker.ts';
import { stampOf } from '../../src/replication/stamp.ts';
import { readTombstone } from '../../src/replication/tombstone.ts';
import { suiteKey, TableScript } from '../../test/fakes/records.ts';
import { replicaBench } from '../../test/fakes/replica-bench.ts';

const MINUTE = 60_000;
const VERSION = { mode: 'version', versionKind: 'counter', versionAttribute: 'v' };
const v = (n: number) => ({ v: { N: String(n) } });

describe('replica sink', () => {
  describe('mode mirror', () => {
    it('stamps what it writes with stream, sequence number, service and pipeline', async () => {
      const [bench, script] = [await replicaBench(), new TableScript()];
      const record = script.put(suiteKey('a'));
      await bench.write([record]);
      expect(bench.item(suiteKey('a'))?.['_tm']).to.deep.equal({
        M: { s: { S: stampOf(script.source.streamCreatedAt, record.token) }, p: { S: 'test/orders' } },
      });
    });

    it('calls superseded what is there already, newer or the same', async () => {
      const [bench, script] = [await replicaBench(), new TableScript()];
      const records = [script.put(suiteKey('a')), script.put(suiteKey('a'), { n: { N: '2' } })];
      for (const record of records) expect(await bench.write([record])).to.deep.equal({ failed: [], superseded: 0 });
      for (const record of records)
        expect(await bench.write([record], bench.clock.now() + MINUTE)).to.deep.equal({ failed: [], superseded: 1 });
      expect(bench.item(suiteKey('a'))).to.deep.include({ n: { N: '2' } });
      expect(bench.host.counted('conflict')).to.equal(0);
    });

    it('looks at tombstones only where a put may be old: given again, scanned, redriven', async () => {
      const [bench, script] = [await replicaBench(), new TableScript()];
      const live = script.put(suiteKey('a'));
      await bench.write([live], live.changedAt);
      expect(bench.writes(), 'changed at or after the takeover').to.deep.equal(['BatchExecuteStatement']);
      await bench.write([script.put(suiteKey('b'))], live.changedAt + 1);
      expect(bench.writes(), 'changed before it').to.deep.equal(['TransactWriteItems']);
      for (const origin of ['snapshot', 'redrive', 'replay', 'repair'] as const) {
        await bench.write([script.put(suiteKey(origin), {}, { ...script.source, origin })]);
        expect(bench.writes(), origin).to.deep.equal(['TransactWriteItems']);
      }
    });

    it('raises the tombstone first, then removes; what was overtaken stays away', async () => {
      const [bench, script] = [await replicaBench(), new TableScript()];
      const put = script.put(suiteKey('a'));
      const removal = script.remove(suiteKey('a'));
      await bench.write([put]);
      bench.writes();
      await bench.write([removal]);
      expect(bench.writes()).to.deep.equal(['PutItem', 'DeleteItem']);
      expect(await bench.write([put], bench.clock.now() + MINUTE)).to.deep.equal({ failed: [], superseded: 1 });
      expect(bench.tables.items('copy')).to.deep.equal([]);
      const [row = {}] = bench.tables.items('test-tombstones');
      expect(readTombstone(row)).to.deep.include({ table: 'copy', keys: suiteKey('a') });
      expect(row['expires']).to.deep.equal({ N: String(Math.ceil(bench.clock.now() / 1000) + 7 * 86_400) });
    });

    it('refuses an item with an attribute of that name, in the source or in the replica, and names the mend', async () => {
      const [bench, script] = [await replicaBench(), new TableScript()];
      const theirs = script.put(suiteKey('a'), { _tm: { S: 'mine' } });
      const { failed } = await bench.write([theirs, script.put(suiteKey('b'))]);
      expect(failed.map(each => [each.index, each.disposition])).to.deep.equal([[0, 'reject']]);
      expect(failed[0]?.reason).to.include('stampAttribute');
      const Item = { ...suiteKey('c'), _tm: { S: 'theirs' } };
      await bench.tables.call('PutItem', { TableName: 'copy', Item }, new AbortController().signal);
      const put = script.put(suiteKey('c'));
      for (const record of [put, script.remove(suiteKey('c'))]) {
        const [refused] = (await bench.write([record])).failed;
        expect([refused?.disposition, refused?.reason.includes('stampAttribute')]).to.deep.equal(['reject', true]);
      }
      expect(bench.item(suiteKey('c'))).to.deep.equal(Item);
      const renamed = await replicaBench({ options: { stampAttribute: 'stamp' } });
      expect((await renamed.write([theirs])).failed).to.deep.equal([]);
      expect(renamed.item(suiteKey('a'))).to.deep.include({ _tm: { S: 'mine' } });
    });

    it('adopts what another pipeline or a loader left', async () => {
      const [bench, script] = [await replicaBench(), new TableScript()];
      const other = await replicaBench({ tables: bench.tables, host: { writer: 'test/others' } });
      const [first, second] = [script.put(suiteKey('a')), script.put(suiteKey('a'), { n: { N: '2' } })];
      await other.write([second]);
      await bench.write([first]);
      expect(bench.item(suiteKey('a')), 'theirs counts as older').to.not.have.property('n');
    });

    it('after a refused change of a key the later ones wait', async () => {
      const [bench, script] = [await replicaBench(), new TableScript()];
      const records = [
        script.put(suiteKey('a')),
        script.put(suiteKey('a'), { _tm: { S: 'mine' } }),
        script.put(suiteKey('b')),
        script.put(suiteKey('a'), { n: { N: '3' } }),
      ];
      const { failed } = await bench.write(records);
      expect(failed.map(each => [each.index, each.disposition])).to.deep.equal([
        [1, 'reject'],
        [3, 'retry'],
      ]);
      expect(bench.tables.items('copy')).to.have.length(2);
    });
  });

  describe('mode version', () => {
    it("writes the highest of a key's changes in a batch, which need not be the last", async () => {
      const [bench, script] = [await replicaBench({ options: VERSION }), new TableScript()];
      const records = [3, 9, 5].map(n => script.put(suiteKey('a'), v(n)));
      expect(await bench.write(records)).to.deep.equal({ failed: [], superseded: 2 });
      expect(bench.writes()).to.deep.equal(['TransactWriteItems']);
      expect(bench.item(suiteKey('a'))).to.deep.include(v(9));
    });

    it('does not ship on what is ours, and counts it as superseded', async () => {
      const [bench, script] = [await replicaBench({ options: VERSION }), new TableScript()];
      const s = stampOf(1, '1') ?? '';
      const ours = script.put(suiteKey('a'), { ...v(4), _tm: versionMarker('eu-west-1', s, { N: '4' }) });
      expect(await bench.write([ours])).to.deep.equal({ failed: [], superseded: 1 });
      expect(bench.writes()).to.deep.equal([]);
      expect(bench.host.log.lines.filter(line => line.message.includes('two-way'))).to.have.length(1);
      const touched = script.put(suiteKey('a'), { ...v(5), _tm: versionMarker('eu-west-1', s, { N: '4' }) });
      expect(await bench.write([touched])).to.deep.equal({ failed: [], superseded: 0 });
      expect(bench.item(suiteKey('a'))?.['_tm']).to.deep.equal(
        versionMarker('us-east-1', stampOf(script.source.streamCreatedAt, touched.token) ?? '', { N: '5' }),
      );
    });

    it("counts a conflict when the replica's own application wrote something newer, not when we did", async () => {
      const [bench, script] = [await replicaBench({ options: VERSION }), new TableScript()];
      const [older, newer] = [script.put(suiteKey('a'), v(1)), script.put(suiteKey('a'), v(2))];
      await bench.write([newer]);
      await bench.write([older]);
      expect(bench.host.counted('conflict')).to.equal(0);
      await bench.tables.call('PutItem', { TableName: 'copy', Item: { ...suiteKey('a'), ...v(7) } }, new AbortController().signal);
      expect(await bench.write([script.put(suiteKey('a'), v(6))])).to.deep.equal({ failed: [], superseded: 1 });
      expect(bench.host.counted('conflict')).to.equal(1);
    });

    it('refuses an item without a usable version, or takes it as the lowest', async () => {
      const script = new TableScript();
      const records = [script.put(suiteKey('a')), script.put(suiteKey('b'), { v: { S: '5' } }), script.put(suiteKey('c'), v(1))];
      const strict = await replicaBench({ options: VERSION });
      expect((await strict.write(records)).failed.map(each => [each.index, each.disposition])).to.deep.equal([
        [0, 'reject'],
        [1, 'reject'],
      ]);
      const lowest = await replicaBench({ options: { ...VERSION, versionMissing: 'lowest' } });
      await lowest.write(records);
      await lowest.write([script.put(suiteKey('c'), {}), script.put(suiteKey('a'), v(1))]);
      expect([lowest.item(suiteKey('a')), lowest.item(suiteKey('c'))].map(item => item?.['v'])).to.deep.equal([{ N: '1' }, { N: '1' }]);
    });

    it('refuses a version that would freeze its item', async () => {
      const bench = await replicaBench({ options: { mode: 'version', versionAttribute: 'v' } });
      const script = new TableScript();
      const [refused] = (await bench.write([script.put(suiteKey('a'), v(bench.clock.now() + 16 * MINUTE))])).failed;
      expect([refused?.disposition, refused?.reason.includes('maxAheadSeconds')]).to.deep.equal(['reject', true]);
    });
  });

  it('when the target refuses the best change of a key for good, the best one before it is written', async () => {
    const [bench, script] = [await replicaBench({ options: VERSION }), new TableScript()];
    const records = [
      script.put(suiteKey('a'), v(1)),
      script.put(suiteKey('a'), v(2)),
      script.put(suiteKey('a'), { ...v(3), text: { S: 'x'.repeat(409_600) } }),
      script.put(suiteKey('a'), v(2)),
    ];
    const { failed, superseded } = await bench.write(records);
    expect(failed.map(each => [each.index, each.disposition])).to.deep.equal([
      [2, 'reject'],
      [3, 'retry'],
    ]);
    expect(failed[0]?.reason).to.match(/\d{6} bytes.*409600/);
    expect([superseded, bench.item(suiteKey('a'))?.['v']]).to.deep.equal([1, { N: '2' }]);
  });

  it('without removals a removed item stays as it was last', async () => {
    const [bench, script] = [await replicaBench({ options: { deletes: 'ignore' } }), new TableScript()];
    const put = script.put(suiteKey('a'), { n: { N: '1' } });
    expect(await bench.write([put, script.remove(suiteKey('a'))])).to.deep.equal({ failed: [], superseded: 1 });
    expect(bench.item(suiteKey('a'))).to.deep.include({ n: { N: '1' } });
  });

  it('unguarded, items are carried byte for byte, and one bad item does not hold up its neighbours', async () => {
    const [bench, script] = [await replicaBench({ options: { writes: 'batch' } }), new TableScript()];
    const records = Array.from({ length: 30 }, (_, i) => script.put(suiteKey(`k${i}`), { _tm: { S: 'mine' } }));
    await bench.write(records);
    expect(bench.writes()).to.deep.equal(['BatchWriteItem', 'BatchWriteItem']);
    expect(bench.item(suiteKey('k3'))).to.deep.equal(records[3]?.after);
    const large = script.put(suiteKey('large'), { text: { S: 'x'.repeat(409_600) } });
    const { failed } = await bench.write([script.put(suiteKey('a')), large, script.put(suiteKey('b')), script.remove(suiteKey('k3'))]);
    expect(failed.map(each => [each.index, each.disposition])).to.deep.equal([[1, 'reject']]);
    expect(bench.tables.items('copy')).to.have.length(31);
  });
});
