/** The state tables' client: a permission that is missing is told with its action and table, for the service's own words often name neither. */
import { ServiceFault } from '../ports/service-fault.ts';
import type { TableApi } from '../ports/table-api.ts';

export function namingPermissions(table: TableApi): TableApi {
  return {
    call: async (name, request, signal) => {
      try {
        return await table.call(name, request, signal);
      } catch (error) {
        throw error instanceof ServiceFault && error.class === 'denied' ? named(error, name, request) : error;
      }
    },
  };
}

function named(fault: ServiceFault, action: string, request: object): ServiceFault {
  const table = 'TableName' in request ? ` ${String(request.TableName)}` : 's';
  const message = `no permission for dynamodb:${action} on state table${table}: ${fault.message}`;
  return new ServiceFault(fault.name, message, { ...fault, class: 'denied', cause: fault });
}
