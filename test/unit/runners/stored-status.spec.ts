import { expect } from 'chai';
import { statusText } from '../../../src/main/status-text.ts';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import { storedStatus } from '../../../src/runners/stored-status.ts';
import { FakeControlStore } from '../../fakes/fake-control-store.ts';
import { FakeLeaseStore } from '../../fakes/fake-lease-store.ts';
import { ARN, NEVER } from '../../fakes/lease-world.ts';

const plan = {
  name: 'shop',
  pipelines: [
    {
      name: 'orders',
      source: { table: 'orders' },
      sinks: [
        { name: 'eu', type: 'replica', enabled: true },
        { name: 'us', type: 'kafka', enabled: false },
      ],
    },
  ],
};
const OLD = ARN.replace('2026', '2025');

async function filled() {
  const leases = new FakeLeaseStore();
  const control = new FakeControlStore();
  for (const [arn, shard, more] of [
    [OLD, 'shardId-0', { endedAt: 1 }],
    [ARN, 'shardId-1', { children: ['shardId-2'], owner: 'a' }],
    [ARN, 'shardId-2', { owner: 'a' }],
    [ARN, 'shardId-3', { owner: 'b' }],
  ] as const) {
    const key = `${arn}:${shard}`;
    leases.rows.set(key, { key, parents: [], checkpoint: 'x', counter: 1, ownerSwitches: 0, children: [], positions: new Map(), ...more });
  }
  await control.putStream({ pipeline: 'orders', table: 'orders', arn: OLD, firstSeenAt: 1 }, NEVER);
  await control.putStream({ pipeline: 'orders', table: 'orders', arn: ARN, firstSeenAt: 2 }, NEVER);
  await control.ask('orders', 'eu', true, NEVER);
  const gap = { reason: 'trimmed', from: '10', to: '20', at: Date.UTC(2026, 1, 3), note: 'a night off' } as const;
  await control.addGap({ pipeline: 'orders', table: 'orders', streamArn: ARN, partition: 'shardId-1', sinks: ['eu'], gap }, NEVER);
  return { leases, control };
}

describe('stored status', () => {
  it('tells what the tables hold, and null for what only a live worker knows', async () => {
    const { status, owners } = await storedStatus(plan, await filled(), NEVER);
    expect(status).to.deep.include({ name: 'shop', worker: null, ready: null, notReady: [] });
    expect(status.pipelines[0]?.tables).to.deep.equal([
      { name: 'orders', streamArn: ARN, shards: { open: 2, closed: 1, owned: null, waiting: null } },
    ]);
    const [eu, us] = status.pipelines[0]?.sinks ?? [];
    expect(eu).to.include({ name: 'eu', type: 'replica', state: 'paused', gaps: 1, written: null, lagSeconds: null });
    expect(us).to.include({ name: 'us', state: 'stopped', reason: 'disabled in the settings', gaps: 0 });
    expect([...owners]).to.deep.equal([
      ['a', 2],
      ['b', 1],
    ]);
  });

  it('tells it to a person', async () => {
    expect(statusText(await storedStatus(plan, await filled(), NEVER))).to.equal(`shop: leases are held by a (2), b (1)

pipeline orders
  table orders: 2 open and 1 closed shards, ${ARN}
  sink  type     state    gaps  reason
  eu    replica  paused   1     paused by an operator
  us    kafka    stopped  0     disabled in the settings

gaps
  2026-02-03T00:00:00Z orders, table orders, shardId-1: trimmed, from 10 to 20; lost to eu: a night off`);
  });

  it('takes missing tables for a service that has never run, and passes other faults on', async () => {
    const faulty = (fault: ServiceFault) => ({
      leases: Object.assign(new FakeLeaseStore(), { scan: () => Promise.reject(fault) }),
      control: new FakeControlStore(),
    });
    const missing = new ServiceFault('ResourceNotFoundException', 'no table', { class: 'missing' });
    const { status, owners } = await storedStatus(plan, faulty(missing), NEVER);
    expect(owners.size).to.equal(0);
    expect(status.pipelines[0]?.tables[0]?.streamArn).to.equal(null);
    const denied = new ServiceFault('AccessDeniedException', 'no', { class: 'denied' });
    const outcome = await storedStatus(plan, faulty(denied), NEVER).catch((error: unknown) => error);
    expect(outcome).to.equal(denied);
  });
});
