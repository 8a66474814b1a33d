import { expect } from 'chai';
import { namingPermissions } from '../../../src/adapters/state-permissions.ts';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import type { TableApi } from '../../../src/ports/table-api.ts';

const { signal } = new AbortController();

async function faultOf(fault: unknown): Promise<unknown> {
  const table = { call: () => Promise.reject(fault) } as unknown as TableApi;
  return namingPermissions(table)
    .call('Scan', { TableName: 'shop-leases' }, signal)
    .catch(error => error);
}

describe('permissions of the state tables', () => {
  it('that are missing are named, with action and table', async () => {
    const fault = new ServiceFault('AccessDeniedException', 'User is not authorized', { class: 'denied', status: 400 });
    const told = await faultOf(fault);
    expect(told).to.be.instanceOf(ServiceFault).and.include({ name: 'AccessDeniedException', class: 'denied', status: 400, cause: fault });
    expect((told as ServiceFault).message).to.equal('no permission for dynamodb:Scan on state table shop-leases: User is not authorized');
  });

  it('are all that is told anew', async () => {
    for (const fault of [new ServiceFault('ECONNRESET', 'gone', { class: 'network' }), new Error('ours')])
      expect(await faultOf(fault)).to.equal(fault);
  });
});
