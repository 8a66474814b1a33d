/** The fakes pass the contract that the real stores pass (test/integration/state-stores.spec.ts); a fake that does not is lying. */
import { FakeControlStore } from '../fakes/fake-control-store.ts';
import { FakeLeaseStore } from '../fakes/fake-lease-store.ts';
import { describeControlStore } from './control-store-suite.ts';
import { describeLeaseStore } from './lease-store-suite.ts';

describeLeaseStore('fake', async () => new FakeLeaseStore());
describeControlStore('fake', async () => new FakeControlStore());
