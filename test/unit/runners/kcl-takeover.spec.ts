import { expect } from 'chai';
import type { Item } from '../../../src/model/item.ts';
import { missing, tokensOf } from '../../fakes/daemon-world.ts';
import { APP, goldenTables, type KclVersion, KclWorld, kclRow, textOf } from '../../fakes/kcl-world.ts';
import { outOfOrder } from '../../fakes/pipeline-world.ts';

const WATCHED_MS = 12_000;
const N = (n: number) => ({ N: String(n) });
const S = (text: string) => ({ S: text });

describe('takeover of a Kinesis Client Library table', () => {
  let at: KclWorld;

  beforeEach(() => {
    at = new KclWorld();
  });

  afterEach(async () => {
    await at.world.stopAll();
  });

  /** A parent that has ended, and its child, which was read half. */
  function readHalf(version: KclVersion): { rows: Item[]; before: string[]; after: string[]; parent: string; child: string } {
    const { now } = at.world;
    const [root] = now.open;
    if (root === undefined) throw new Error('no shard');
    const before = at.world.write(10);
    const child = now.roll(root.id);
    before.push(...at.world.write(10));
    const checkpoint = before.at(-1) ?? '';
    const after = at.world.write(10);
    const rows = [
      kclRow(version, root.id, { checkpoint: S('SHARD_END'), childShardIds: { SS: [child.id] }, leaseOwner: undefined }),
      kclRow(version, child.id, { checkpoint: S(checkpoint), parentShardId: { SS: [root.id] } }),
    ];
    return { rows, before, after, parent: root.id, child: child.id };
  }

  async function goesOnAfter(after: readonly string[], before: readonly string[]): Promise<void> {
    for (const name of ['a', 'b']) {
      const delivered = at.world.targets.get(name)?.delivered ?? [];
      expect(missing(delivered, after), `${name} lacks`).to.deep.equal([]);
      expect(
        tokensOf(delivered).filter(token => before.includes(token)),
        `${name} was given again`,
      ).to.deep.equal([]);
      expect(outOfOrder(delivered)).to.equal(undefined);
    }
  }

  it('kcl1-table-takeover: goes on after each checkpoint, rows that have ended are not read again', async () => {
    at.world.target('a');
    at.world.target('b');
    const { rows, before, after, parent, child } = readHalf('1.15');
    await at.left(rows);
    const worker = at.start();
    await at.world.clock.advance(5_000);
    expect(worker.daemon.notReady()[0]).to.equal('looking whether an application still works on the lease table');
    await at.world.clock.advance(WATCHED_MS);
    after.push(...at.world.write(5));
    at.world.now.roll(child);
    after.push(...at.world.write(5));
    await at.world.clock.advance(10_000);
    await goesOnAfter(after, before);
    expect(worker.daemon.notReady()).to.deep.equal([]);
    expect(at.world.control.gapRows.size).to.equal(0);
    expect(at.row(parent)).to.include.keys('endedAt', 'streamArn').and.not.to.have.property('leaseOwner');
    expect(at.row(parent)).to.deep.include({ checkpoint: S('SHARD_END'), childShardIds: { SS: [child] } });
    expect(textOf(at.row(child)['checkpoint'])).to.equal('SHARD_END');
  });

  for (const version of ['3.1.1', '3.5.1'] as const) {
    it(`kcl3-table-takeover, ${version}: only leases are read, dead owners go, what is not known stays`, async () => {
      at.world.target('a');
      at.world.target('b');
      const { rows, before, after, child } = readHalf(version);
      const handedOver = { checkpointOwner: S('w0'), pendingCheckpoint: S('999999999999999999999'), pendingCheckpointState: { B: 'AA==' } };
      await at.left(rows.map(row => (textOf(row['leaseKey']) === child ? { ...row, ...handedOver, ofNewer: { L: [N(1)] } } : row)));
      for (const [beside, { keySchema, items }] of goldenTables(`kcl-${version} after a graceful stop (1 worker, 1 shard)`)) {
        await at.left(
          items.filter(item => item['leaseCounter'] === undefined),
          beside,
          keySchema[0]?.AttributeName,
        );
      }
      const others = [...at.rows()].filter(([, row]) => row['leaseCounter'] === undefined);
      expect(others).to.have.length(version === '3.5.1' ? 2 : 0);
      const worker = at.start();
      await at.world.clock.advance(70_000);
      await goesOnAfter(after, before);
      expect([...at.rows()].filter(([, row]) => row['leaseCounter'] === undefined)).to.deep.equal(others);
      const row = at.row(child);
      expect(row).to.deep.include({ ofNewer: { L: [N(1)] }, leaseOwner: S('worker-1'), checkpoint: S(after.at(-1) ?? '') });
      expect(row).not.to.have.any.keys('checkpointOwner', 'pendingCheckpoint', 'pendingCheckpointState');
      expect(worker.end).to.equal(undefined);
    });
  }

  it('give-back-to-java: rows have the types, sentinels and attributes that the application left, and no owner', async () => {
    at.world.target('a');
    const { rows, child } = readHalf('3.5.1');
    await at.left(rows);
    const worker = at.start();
    await at.world.clock.advance(WATCHED_MS);
    const grandchild = at.world.now.roll(child);
    const tokens = at.world.write(3);
    await at.world.clock.advance(10_000);
    worker.stop();
    await at.world.clock.runUntil(worker.ended);
    expect(worker.end).to.deep.equal({});
    for (const row of at.rows().values()) {
      const type = (name: string) => (row[name] === undefined ? 'none' : Object.keys(row[name] ?? {})[0]);
      expect(
        ['leaseKey', 'leaseCounter', 'checkpoint', 'checkpointSubSequenceNumber', 'ownerSwitchesSinceCheckpoint'].map(type),
      ).to.deep.equal(['S', 'N', 'S', 'N', 'N']);
      expect(['entityType', 'startingHashKey', 'endingHashKey'].map(name => row[name])).to.deep.equal([S('LEASE'), S('0'), S('1')]);
      expect(['leaseOwner', 'checkpointOwner', 'pendingCheckpoint'].map(type)).to.deep.equal(['none', 'none', 'none']);
      expect(['parentShardId', 'childShardIds'].map(type)).to.satisfy((types: string[]) =>
        types.every(one => one === 'SS' || one === 'none'),
      );
      expect(JSON.stringify(row)).not.to.match(/"SS":\[\]|"S":""/);
    }
    expect(at.row(child)).to.deep.include({ checkpoint: S('SHARD_END'), childShardIds: { SS: [grandchild.id] } });
    expect(at.row(grandchild.id)).to.deep.include({ checkpoint: S(tokens.at(-1) ?? ''), parentShardId: { SS: [child] } });
    const golden = rows[1] ?? {};
    expect(at.row(grandchild.id)).to.include.keys(Object.keys(golden).filter(name => name !== 'leaseOwner' && name !== 'throughputKBps'));
  });

  describe('refuse-3x-live-fleet', () => {
    const refusal = async (worker: ReturnType<KclWorld['start']>): Promise<string> => {
      await at.world.clock.runUntil(worker.ended, { maxMs: 120_000 });
      const error = worker.end?.error;
      expect(error).to.have.property('name', 'FleetIsAlive');
      expect(at.world.targets.get('a')?.delivered).to.deep.equal([]);
      return error instanceof Error ? error.message : '';
    };

    it('refuses a table in which counters move', async () => {
      at.world.target('a');
      const { rows, child } = readHalf('3.5.1');
      await at.left(rows);
      const before = at.row(child);
      const worker = at.start();
      await at.world.clock.advance(4_000);
      await at.javaWrites(child);
      expect(await refusal(worker)).to.equal(
        `an application of the Kinesis Client Library still works on lease table ${APP}: worker w1 renews its lease of ${child}; stop all its workers, then start again`,
      );
      expect(at.row(child)).to.deep.equal({ ...before, leaseCounter: N(833) });
    });

    it('refuses one whose workers report their load, or whose leader is alive, though nobody holds a lease', async () => {
      for (const [beside, hash] of [
        ['', 'leaseKey'],
        ['-WorkerMetricStats', 'wid'],
      ] as const) {
        at = new KclWorld();
        at.world.target('a');
        const seconds = Math.floor(at.world.clock.now() / 1000);
        const report = (lut: number) => ({
          [hash]: S('w2'),
          lut: N(lut),
          ...(hash === 'leaseKey' && { entityType: S('WORKER_METRIC_STATS') }),
        });
        await at.left([kclRow('3.1.1', at.world.now.open[0]?.id ?? '', { leaseOwner: undefined })]);
        await at.left([report(seconds - 20)], beside, hash);
        const worker = at.start();
        await at.world.clock.advance(30_000);
        expect(worker.end).to.equal(undefined);
        await at.put(report(seconds + 10), beside);
        expect(await refusal(worker)).to.match(/worker w2 reports its load/);
      }
      at = new KclWorld();
      at.world.target('a');
      const leader = (version: string) => ({ key: S('Leader'), ownerName: S('w3'), recordVersionNumber: S(version) });
      await at.left([kclRow('3.1.1', at.world.now.open[0]?.id ?? '')]);
      await at.left([leader('1')], '-CoordinatorState', 'key');
      const worker = at.start();
      await at.world.clock.advance(5_000);
      await at.put(leader('2'), '-CoordinatorState');
      expect(await refusal(worker)).to.match(/worker w3 leads the others/);
    });

    it('a stop while it looks ends at once, and in order; the table is as it was', async () => {
      at.world.target('a');
      await at.left(readHalf('3.5.1').rows);
      const before = at.rows();
      const worker = at.start();
      await at.world.clock.advance(4_000);
      worker.stop();
      await at.world.clock.runUntil(worker.ended, { maxMs: 1_000 });
      expect(worker.end).to.deep.equal({});
      expect(at.rows()).to.deep.equal(before);
    });

    it('an application that is started while we run takes leases; we write no more under them', async () => {
      at.world.target('a');
      const { rows, child } = readHalf('3.5.1');
      await at.left(rows);
      at.start();
      await at.world.clock.advance(WATCHED_MS);
      await at.javaWrites(child, { leaseOwner: S('w9') });
      await at.world.clock.advance(4_000);
      const delivered = at.world.targets.get('a')?.delivered.length;
      at.world.write(10);
      for (let n = 0; n < 10; n++) {
        await at.javaWrites(child);
        await at.world.clock.advance(3_000);
      }
      expect(at.row(child)).to.deep.include({ leaseOwner: S('w9') });
      expect(at.world.targets.get('a')?.delivered.length).to.equal(delivered);
    });

    it('takes a table over whose workers were silent for a minute', async () => {
      at.world.target('a');
      at.world.target('b');
      const { rows, before, after } = readHalf('3.5.1');
      const seconds = Math.floor(at.world.clock.now() / 1000);
      await at.left([...rows, { leaseKey: S('w1'), entityType: S('WORKER_METRIC_STATS'), lut: N(seconds - 5) }]);
      at.start();
      await at.world.clock.advance(50_000);
      expect(at.world.targets.get('a')?.delivered).to.deep.equal([]);
      await at.world.clock.advance(20_000);
      await goesOnAfter(after, before);
    });
  });

  describe('wrong-stream-arn', () => {
    const refusal = async (worker: ReturnType<KclWorld['start']>): Promise<readonly string[]> => {
      await at.world.clock.runUntil(worker.ended, { maxMs: 120_000 });
      const error = worker.end?.error;
      expect(error).to.have.property('name', 'NothingCanRun');
      return (error as { reasons: readonly string[] }).reasons;
    };

    it('refuses a table that was taken over for another stream', async () => {
      at.world.target('a');
      const { rows, child } = readHalf('1.15');
      const arn = 'arn:aws:dynamodb:us-east-1:000000000000:table/other/stream/2026-01-01T00:00:00.000';
      await at.left(rows.map(row => ({ ...row, streamArn: S(arn) })));
      const before = at.row(child);
      expect(await refusal(at.start())).to.deep.equal([
        `p: lease table ${APP} is of ${arn}, but the source is ${at.world.now.arn}; name the lease table of that stream`,
      ]);
      expect(at.row(child)).to.deep.equal(before);
    });

    it('refuses one whose shards the stream does not know', async () => {
      at.world.target('a');
      const stranger = `shardId-${String(at.world.clock.now() - 3_600_000).padStart(20, '0')}-0badcafe`;
      await at.left([kclRow('3.1.1', stranger)]);
      expect(await refusal(at.start())).to.deep.equal([
        `p: lease table ${APP} is of another stream (${stranger} is no shard of it), but the source is ${at.world.now.arn}; name the lease table of that stream`,
      ]);
    });

    it('refuses what is no table of that library', async () => {
      at.world.target('a');
      expect(await refusal(at.start())).to.deep.equal([
        `table ${APP} is not there; in mode kcl-takeover state.leaseTable names the lease table of a Kinesis Client Library application, which has the application's name`,
      ]);
      await at.left([], '', 'pk');
      expect((await refusal(at.start()))[0]).to.match(/^table java-app is no lease table: its key is not leaseKey; /);
    });
  });
});
