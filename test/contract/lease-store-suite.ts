/** What every lease store must do, the fake as the real one. */
import { expect } from 'chai';
import type { Position } from '../../src/model/position.ts';
import { type LeaseRow, type LeaseStore, leaseKey, type NewLease } from '../../src/ports/lease-store.ts';

const ARN = 'arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-11-25T12:00:00.000';
const signal = new AbortController().signal;

export function describeLeaseStore(name: string, open: () => Promise<LeaseStore>): void {
  describe(`lease store: ${name}`, () => {
    let store: LeaseStore;
    let shards = 0;

    before(async () => {
      store = await open();
      await store.prepare(signal);
    });

    /** A row of its own for each case. */
    async function made(more: Partial<NewLease> = {}): Promise<LeaseRow> {
      shards += 1;
      const row = {
        key: leaseKey(ARN, `shardId-${String(shards).padStart(20, '0')}-abc`),
        parents: [],
        checkpoint: 'TRIM_HORIZON',
        ...more,
      };
      expect(await store.create(row, signal)).to.equal('created');
      return standing(row.key);
    }

    async function standing(key: string): Promise<LeaseRow> {
      const row = await store.read(key, signal);
      if (row === undefined) throw new Error(`no row ${key}`);
      return row;
    }

    async function written(seen: LeaseRow, change: Parameters<LeaseStore['write']>[1]): Promise<LeaseRow> {
      const answer = await store.write(seen, change, signal);
      if (answer.is !== 'written') throw new Error('refused');
      expect(answer.row).to.deep.equal(await standing(seen.key));
      return answer.row;
    }

    it('is prepared twice without harm', async () => {
      await store.prepare(signal);
    });

    it('makes a row once: unowned, counter 0', async () => {
      const row = await made({ parents: ['shardId-p'], startingToken: '100000000000000000001' });
      expect(row).to.deep.include({
        counter: 0,
        ownerSwitches: 0,
        children: [],
        parents: ['shardId-p'],
        startingToken: '100000000000000000001',
      });
      expect(row.owner).to.equal(undefined);
      expect(await store.create({ ...row, checkpoint: 'LATEST' }, signal)).to.equal('exists');
      expect((await standing(row.key)).checkpoint).to.equal('TRIM_HORIZON');
    });

    it('knows nothing of a row that is not there', async () => {
      expect(await store.read(leaseKey(ARN, 'shardId-none'), signal)).to.equal(undefined);
      const ghost = { ...(await made()), key: leaseKey(ARN, 'shardId-none') };
      expect(await store.write(ghost, {}, signal)).to.deep.equal({ is: 'refused' });
      expect(await store.remove(ghost, signal)).to.equal('refused');
    });

    it('lets one of two takers win, and tells the other who did', async () => {
      const row = await made();
      const answers = await Promise.all(['a', 'b'].map(owner => store.write(row, { owner, nonce: `n-${owner}` }, signal)));
      const winner = answers.find(answer => answer.is === 'written');
      const loser = answers.find(answer => answer.is === 'refused');
      expect(winner?.row).to.deep.include({ counter: 1, ownerSwitches: 1 });
      expect(loser?.row).to.deep.equal(winner?.row);
    });

    it('refuses whoever saw another counter or another owner', async () => {
      const taken = await written(await made(), { owner: 'a', nonce: '1' });
      const renewed = await written(taken, {});
      expect(renewed).to.deep.include({ owner: 'a', counter: 2, nonce: '1' });
      expect((await store.write(taken, {}, signal)).is).to.equal('refused');
      expect((await store.write({ ...renewed, owner: 'b' }, {}, signal)).is).to.equal('refused');
      const { owner, ...unowned } = renewed;
      expect(owner).to.equal('a');
      expect((await store.write(unowned, {}, signal)).is).to.equal('refused');
      expect(await standing(renewed.key)).to.deep.equal(renewed);
    });

    it('keeps positions of every kind, exactly', async () => {
      const positions = new Map<string, Position>([
        ['orders/a.b "c"', { at: 'after', token: '49590338271490256608559692538361571095921575989136588898', changedAt: 1795449817002 }],
        ['orders/__proto__', { at: 'from', token: '000000000000000000001', changedAt: 0 }],
        ['orders/start', { at: 'start' }],
        ['orders/tip', { at: 'tip', takenAt: 1795449817123 }],
        ['orders/end', { at: 'end' }],
      ]);
      const row = await written(await written(await made(), { owner: 'a' }), { positions, checkpoint: 'TRIM_HORIZON' });
      expect(new Map([...row.positions].sort())).to.deep.equal(new Map([...positions].sort()));
      expect(row.ownerSwitches).to.equal(0);
      const renewed = await written(row, {});
      expect(renewed.positions.size).to.equal(5);
    });

    it('remembers who had it before, and forgets the owner at release', async () => {
      const released = await written(await written(await made(), { owner: 'a' }), { owner: null, checkpoint: '123' });
      expect(released).to.deep.include({ counter: 2, lastOwner: 'a', checkpoint: '123' });
      expect(released.owner).to.equal(undefined);
      const taken = await written(released, { owner: 'b' });
      expect(taken).to.deep.include({ owner: 'b', lastOwner: 'a', ownerSwitches: 1 });
      expect(await written(taken, { owner: 'c' })).to.deep.include({ owner: 'c', lastOwner: 'b', ownerSwitches: 2 });
    });

    it('notes who gave it away until it is taken', async () => {
      const held = await written(await made(), { owner: 'a', nonce: '1' });
      const given = await written(held, { owner: 'b', handoffFrom: 'a', checkpoint: '5' });
      expect(given).to.deep.include({ owner: 'b', handoffFrom: 'a', lastOwner: 'a', counter: 2 });
      const taken = await written(given, { owner: 'b', nonce: '2' });
      expect([taken.handoffFrom, taken.lastOwner, taken.counter]).to.deep.equal([undefined, 'a', 3]);
    });

    it('notes the end, its children, and that it has not ended after all', async () => {
      const held = await written(await made(), { owner: 'a' });
      const ended = await written(held, { owner: null, checkpoint: 'SHARD_END', children: ['shardId-x', 'shardId-y'], endedAt: 5 });
      expect([...ended.children].sort()).to.deep.equal(['shardId-x', 'shardId-y']);
      expect(ended.endedAt).to.equal(5);
      const again = await written(ended, { endedAt: null, checkpoint: 'TRIM_HORIZON' });
      expect(again.endedAt).to.equal(undefined);
      expect(again.children).to.have.length(2);
    });

    it('removes a row only as it was seen', async () => {
      const row = await made();
      const ended = await written(row, { checkpoint: 'SHARD_END' });
      expect(await store.remove(row, signal)).to.equal('refused');
      expect(await store.remove({ ...ended, checkpoint: 'TRIM_HORIZON' }, signal)).to.equal('refused');
      expect(await store.remove(ended, signal)).to.equal('removed');
      expect(await store.read(row.key, signal)).to.equal(undefined);
    });

    it('scans every row', async () => {
      const keys = [(await made()).key, (await made()).key];
      const scanned = await store.scan(signal);
      expect(scanned.map(row => row.key)).to.include.members(keys);
      expect(scanned.find(row => row.key === keys[0])).to.deep.equal(await standing(keys[0] ?? ''));
    });

    it('throws when it is aborted', async () => {
      const controller = new AbortController();
      controller.abort();
      let thrown: unknown;
      await store.scan(controller.signal).catch((error: unknown) => {
        thrown = error;
      });
      expect(thrown).to.be.an('error');
    });
  });
}
