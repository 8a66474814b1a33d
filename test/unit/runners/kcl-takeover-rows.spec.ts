import { expect } from 'chai';
import type { Item } from '../../../src/model/item.ts';
import { DaemonWorld, missing, tokensOf } from '../../fakes/daemon-world.ts';
import { APP, KclWorld, kclRow, textOf } from '../../fakes/kcl-world.ts';
import { outOfOrder } from '../../fakes/pipeline-world.ts';

const WATCHED_MS = 15_000;
const S = (text: string) => ({ S: text });

describe('rows that a takeover meets', () => {
  let at: KclWorld;

  beforeEach(() => {
    at = new KclWorld();
  });

  afterEach(async () => {
    await at.world.stopAll();
    for (const { end } of at.world.workers) if (end?.error !== undefined) throw end.error;
  });

  const root = () => at.world.now.open[0]?.id ?? '';
  const given = (name: string) => tokensOf(at.world.targets.get(name)?.delivered ?? []);
  const stopped = async (worker: ReturnType<KclWorld['start']>) => {
    worker.stop();
    await at.world.clock.runUntil(worker.ended);
  };

  for (const sentinel of ['TRIM_HORIZON', 'AT_TIMESTAMP']) {
    it(`${sentinel}: from the oldest record`, async () => {
      at.world.target('a');
      const tokens = at.world.write(10);
      await at.left([kclRow('3.5.1', root(), { checkpoint: S(sentinel) })]);
      at.start();
      await at.world.clock.advance(WATCHED_MS);
      expect(given('a').sort()).to.deep.equal(tokens);
    });
  }

  it('LATEST: from the tip at the takeover, as the application would; its ancestors are left out', async () => {
    at.world.target('a');
    at.world.write(10);
    const parent = root();
    const child = at.world.now.roll(parent);
    at.world.write(10);
    await at.world.clock.advance(100_000);
    await at.left([kclRow('3.1.1', child.id, { checkpoint: S('LATEST'), parentShardId: { SS: [parent] } })]);
    const worker = at.start();
    await at.world.clock.advance(WATCHED_MS);
    expect(given('a')).to.deep.equal([]);
    const tokens = at.world.write(5);
    await at.world.clock.advance(2_000);
    expect(given('a').sort()).to.deep.equal(tokens);
    await stopped(worker);
    expect([...at.rows().keys()]).to.deep.equal([child.id]);
  });

  it('a sub-sequence number: after the record itself', async () => {
    at.world.target('a');
    const tokens = at.world.write(10);
    const more = { checkpoint: S(tokens[4] ?? ''), checkpointSubSequenceNumber: { N: '3' } };
    await at.left([kclRow('1.15', root(), more)]);
    at.start();
    await at.world.clock.advance(WATCHED_MS);
    expect(given('a').sort()).to.deep.equal(tokens.slice(5));
    expect(at.row(root())).to.deep.include({ checkpointSubSequenceNumber: { N: '0' }, checkpoint: S(tokens[9] ?? '') });
  });

  it('a checkpoint that nobody wrote halts the pipeline, and the row stays', async () => {
    at.world.target('a');
    const row = kclRow('3.5.1', root(), { checkpoint: S('42-of-something') });
    await at.left([row]);
    const worker = at.start();
    await at.world.clock.runUntil(worker.ended, { maxMs: 60_000 });
    expect(String(worker.end?.error)).to.match(
      /the lease of shardId-\S+ in table java-app has the checkpoint "42-of-something"; expected a sequence number, TRIM_HORIZON/,
    );
    expect(at.row(root())).to.deep.equal(row);
    at.world.workers.length = 0;
  });

  it('parents that ended and whose rows the application has deleted are not read again; a child without a row is', async () => {
    at.world.target('a');
    const first = root();
    const read = at.world.write(10);
    const second = at.world.now.roll(first);
    read.push(...at.world.write(10));
    const [left, right] = at.world.now.split(second.id);
    const tokens = at.world.write(20);
    const grandchild = at.world.now.roll(left.id);
    tokens.push(...at.world.write(10));
    await at.left([
      kclRow('3.5.1', left.id, { checkpoint: S('TRIM_HORIZON'), parentShardId: { SS: [second.id] } }),
      kclRow('3.5.1', right.id, { checkpoint: S('TRIM_HORIZON'), parentShardId: { SS: [second.id] } }),
    ]);
    at.start();
    await at.world.clock.advance(WATCHED_MS);
    expect(missing(at.world.targets.get('a')?.delivered ?? [], tokens)).to.deep.equal([]);
    expect(given('a').filter(token => read.includes(token))).to.deep.equal([]);
    expect(outOfOrder(at.world.targets.get('a')?.delivered ?? [])).to.equal(undefined);
    expect([...at.rows().keys()].sort()).to.deep.equal([left.id, right.id, grandchild.id].sort());
  });

  it('a parent whose row is missing above an unread one is read', async () => {
    at.world.target('a');
    const first = root();
    const tokens = at.world.write(10);
    const second = at.world.now.roll(first);
    tokens.push(...at.world.write(10));
    const third = at.world.now.roll(second.id);
    tokens.push(...at.world.write(10));
    await at.left([
      kclRow('3.5.1', first, { checkpoint: S(tokens[4] ?? '') }),
      kclRow('3.5.1', third.id, { checkpoint: S('TRIM_HORIZON'), parentShardId: { SS: [second.id] } }),
    ]);
    at.start();
    await at.world.clock.advance(WATCHED_MS);
    expect(given('a')).to.deep.equal(tokens.slice(5));
  });

  it('an unread shard that is gone is a gap', async () => {
    at.world.target('a');
    const tokens = at.world.write(10);
    const parent = root();
    await at.left([kclRow('3.5.1', parent, { checkpoint: S(tokens[4] ?? '') })]);
    await at.world.clock.advance(3_600_000);
    const child = at.world.now.roll(parent);
    await at.world.clock.advance(30 * 3_600_000);
    const fresh = at.world.write(5);
    at.start();
    await at.world.clock.advance(200_000);
    expect(given('a')).to.deep.equal(fresh);
    const gaps = [...at.world.control.gapRows.values()].map(({ partition, sinks, gap }) => [partition, sinks, gap.reason, gap.from]);
    expect(gaps).to.deep.equal([[parent, ['a'], 'shard-gone', tokens[4]]]);
    expect(textOf(at.row(child.id)['checkpoint'])).to.equal(fresh.at(-1));
  });

  it('a sink that says where it starts does so; a disabled one comes later', async () => {
    at.world.target('a');
    const tokens = at.world.write(10);
    await at.left([kclRow('3.5.1', root(), { checkpoint: S(tokens[4] ?? '') })]);
    const worker = at.start({ sinks: { a: {}, own: { startingPosition: 'TRIM_HORIZON' }, off: { enabled: false } } });
    await at.world.clock.advance(WATCHED_MS);
    expect(given('a')).to.deep.equal(tokens.slice(5));
    expect(given('own')).to.deep.equal(tokens);
    await stopped(worker);
    at.start({ sinks: { a: {}, own: {}, off: {} } });
    await at.world.clock.advance(5_000);
    expect(given('off')).to.deep.equal(tokens);
    expect(given('a')).to.deep.equal(tokens.slice(5));
  });

  it('a crash at any write of the takeover: the next start goes on as the first would have', async () => {
    for (let crashAt = 1; crashAt < 12; crashAt++) {
      at = new KclWorld(new DaemonWorld({}, { roots: 4 }));
      for (const name of ['a', 'b']) at.world.target(name);
      const read = at.world.write(20, 40);
      const checkpoints = new Map(at.world.now.open.map(({ id, stored }) => [id, stored.at(-1)?.token]));
      const tokens = at.world.write(20, 40);
      await at.left([...checkpoints].map(([id, token]) => kclRow('3.5.1', id, { checkpoint: S(token ?? 'TRIM_HORIZON') })));
      const { call } = at.tables;
      let writes = 0;
      const worker = at.start();
      const dies = () => {
        writes += 1;
        if (writes === crashAt) worker.process.die();
      };
      at.tables.call = async (name, request, signal) => {
        const answer = await call(name, request, signal);
        if (name === 'UpdateItem') dies();
        return answer;
      };
      at.world.controlFate = operation => {
        if (operation === 'createSinkStart') dies();
        return 'pass';
      };
      await at.world.clock.advance(WATCHED_MS);
      expect(worker.process.isAlive).to.equal(false);
      at.tables.call = call;
      at.start();
      await at.world.clock.advance(2 * WATCHED_MS);
      for (const name of ['a', 'b']) {
        expect(missing(at.world.targets.get(name)?.delivered ?? [], tokens), `${name}, crash at ${crashAt}`).to.deep.equal([]);
        expect(given(name).filter(token => read.includes(token))).to.deep.equal([]);
      }
      await at.world.stopAll();
    }
  });

  it('two workers at once share what was taken over; one that joins later does not look for the application', async () => {
    at = new KclWorld(new DaemonWorld({}, { roots: 4 }));
    at.world.target('a');
    const read = at.world.write(40, 40);
    const rows = at.world.now.open.map(({ id, stored }) => kclRow('3.1.1', id, { checkpoint: S(stored.at(-1)?.token ?? '') }));
    await at.left(rows);
    const tokens = at.world.write(40, 40);
    at.start();
    await at.world.clock.advance(300);
    at.start();
    await at.world.clock.advance(30_000);
    const owners = () => [...at.rows().values()].map(row => textOf(row['leaseOwner'])).sort();
    expect(owners()).to.deep.equal(['worker-1', 'worker-1', 'worker-2', 'worker-2']);
    const third = at.start();
    await at.world.clock.advance(1_000);
    expect(third.daemon.notReady()).to.deep.equal([]);
    await at.world.clock.advance(40_000);
    expect(owners()).to.include('worker-3');
    expect(missing(at.world.targets.get('a')?.delivered ?? [], tokens)).to.deep.equal([]);
    expect(given('a').filter(token => read.includes(token))).to.deep.equal([]);
  });

  describe('when the application has had the table again', () => {
    it('a sink goes on from its own places; what the application made meanwhile is read from its start', async () => {
      at.world.target('a');
      const tokens = at.world.write(10);
      const parent = root();
      await at.left([kclRow('3.5.1', parent, { checkpoint: S(tokens[4] ?? '') })]);
      const worker = at.start();
      await at.world.clock.advance(WATCHED_MS);
      await stopped(worker);
      tokens.push(...at.world.write(10));
      const child = at.world.now.roll(parent);
      tokens.push(...at.world.write(10));
      await at.javaWrites(parent, { checkpoint: S('SHARD_END'), childShardIds: { SS: [child.id] }, leaseOwner: S('w1') });
      const made: Item = { checkpoint: S(tokens.at(-3) ?? ''), parentShardId: { SS: [parent] } };
      await at.put(kclRow('3.5.1', child.id, made));
      at.start();
      await at.world.clock.advance(WATCHED_MS);
      expect(given('a')).to.deep.equal(tokens.slice(5));
      expect(at.world.control.gapRows.size).to.equal(0);
    });

    it('a sink that is new begins where the application is; one that was away too long has a gap', async () => {
      at.world.target('a');
      const tokens = at.world.write(10);
      const parent = root();
      await at.left([kclRow('3.5.1', parent, { checkpoint: S(tokens[4] ?? '') })]);
      const worker = at.start({ sinks: { a: {} } });
      await at.world.clock.advance(WATCHED_MS);
      await stopped(worker);
      const child = at.world.now.roll(parent);
      at.world.write(5);
      const grandchild = at.world.now.roll(child.id);
      await at.world.clock.advance(30 * 3_600_000);
      const held = at.world.write(10);
      await at.tables.call('DeleteItem', { TableName: APP, Key: { leaseKey: S(parent) } }, new AbortController().signal);
      await at.put(kclRow('3.5.1', grandchild.id, { checkpoint: S(held[4] ?? ''), parentShardId: { SS: [child.id] } }));
      at.start({ sinks: { a: {}, b: {} } });
      await at.world.clock.advance(WATCHED_MS + 70_000);
      expect(given('b')).to.deep.equal(held.slice(5));
      expect(given('a')).to.deep.equal([...tokens.slice(5), ...held]);
      const gaps = [...at.world.control.gapRows.values()].map(({ partition, sinks, gap }) => [partition, sinks, gap.reason]);
      expect(gaps).to.deep.include([child.id, ['a'], 'shard-gone']);
      expect(gaps.filter(([, sinks]) => String(sinks) !== 'a')).to.deep.equal([]);
    });
  });

  it('rows of several streams: each pipeline takes its own, others stay', async () => {
    at.world.target('a');
    const tokens = at.world.write(10);
    const [, , , region, account, ...more] = at.world.now.arn.split(':');
    const [, label = ''] = more.join(':').split('/stream/');
    const prefix = `${account}:${region}$${account}$orders$${label.replaceAll(':', '_')}:1`;
    const ours = `${prefix}:${root()}`;
    const named = (key: string, id: string) => ({ leaseKey: S(key), streamName: S(key.slice(0, key.lastIndexOf(':'))), shardId: S(id) });
    const other = kclRow('3.5.1', 'x', named(`${account}:${region}$${account}$customers$2026-01-01T00_00_00.000:1:shardId-9`, 'shardId-9'));
    await at.left([kclRow('3.5.1', root(), { ...named(ours, root()), checkpoint: S(tokens[4] ?? '') }), other]);
    const worker = at.start();
    await at.world.clock.advance(WATCHED_MS);
    const child = at.world.now.roll(root());
    tokens.push(...at.world.write(5));
    await at.world.clock.advance(10_000);
    expect(given('a')).to.deep.equal(tokens.slice(5));
    await stopped(worker);
    expect([...at.rows().values()]).to.deep.include(other);
    expect(at.row(`${prefix}:${child.id}`)).to.deep.include({
      streamName: S(prefix),
      shardId: S(child.id),
      checkpoint: S(tokens.at(-1) ?? ''),
      parentShardId: { SS: [ours.slice(ours.lastIndexOf(':') + 1)] },
    });
  });

  it('an empty table: sinks start as they would without one', async () => {
    at.world.target('a');
    const tokens = at.world.write(10);
    await at.left([]);
    at.start();
    await at.world.clock.advance(WATCHED_MS);
    expect(given('a')).to.deep.equal(tokens);
    expect([...at.rows().keys()]).to.deep.equal([root()]);
  });
});
