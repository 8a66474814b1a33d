/**
 * The fakes pass the contract that the real stores pass (test/integration/state-stores.spec.ts); a fake that does not is lying. The real ones over the
 * fake of DynamoDB too: the benchmark of leases counts what they ask of it.
 */
import { controlStore } from '../../src/adapters/control-store.ts';
import { kclNames } from '../../src/adapters/lease-names.ts';
import { leaseStore } from '../../src/adapters/lease-store.ts';
import { systemClock } from '../../src/adapters/system.ts';
import { FakeControlStore } from '../fakes/fake-control-store.ts';
import { FakeLeaseStore } from '../fakes/fake-lease-store.ts';
import { fakeTables } from '../fakes/fake-table.ts';
import { describeControlStore } from './control-store-suite.ts';
import { describeLeaseStore } from './lease-store-suite.ts';

describeLeaseStore('fake', async () => new FakeLeaseStore());
describeControlStore('fake', async () => new FakeControlStore());

const state = (name: string) => ({ table: fakeTables({ scanRows: 5 }), name, create: true, clock: systemClock });
describeLeaseStore('the real one, over the fake of DynamoDB', async () => leaseStore(state('leases')));
describeLeaseStore("the real one under the Kinesis Client Library's names", async () =>
  leaseStore(state('java-app'), kclNames({ several: true })),
);
describeControlStore('the real one, over the fake of DynamoDB', async () => controlStore(state('control')));
