import { fakeTables } from '../fakes/fake-table.ts';
import { describeTables } from './table-semantics-suite.ts';

describeTables('fake tables', async () => ({ api: fakeTables(), close: async () => {} }));
