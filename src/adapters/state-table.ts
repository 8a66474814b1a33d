/** Makes one of our own tables where that is wanted, and waits until it answers. Two workers may do it at once. */
import type { Clock } from '../ports/clock.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { TableApi } from '../ports/table-api.ts';

export interface StateTable {
  readonly table: TableApi;
  readonly name: string;
  /** Make it when it is missing. */
  readonly create: boolean;
  readonly clock: Clock;
}

/** The key is of strings: a hash attribute, perhaps a range attribute. `ttl`: the attribute by which rows go away. */
export async function prepareStateTable(
  { table, name, create, clock }: StateTable,
  layout: { readonly key: readonly [string] | readonly [string, string]; readonly ttl?: string },
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const status = await statusOf(table, name, signal);
    if (status === 'ACTIVE' || status === 'UPDATING') break;
    if (status === undefined && !create) {
      const message = `state table ${name} is missing; make it, or set state.createTables: true`;
      throw new ServiceFault('ResourceNotFoundException', message, { class: 'missing' });
    }
    if (status === undefined) await make(table, name, layout.key, signal);
    await clock.sleep(status === undefined ? 50 : 500, signal);
    signal.throwIfAborted();
  }
  if (create && layout.ttl !== undefined) await expireBy(table, { name, attribute: layout.ttl }, signal);
}

async function statusOf(table: TableApi, name: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { Table } = await table.call('DescribeTable', { TableName: name }, signal);
    return Table.TableStatus;
  } catch (error) {
    if (error instanceof ServiceFault && error.class === 'missing') return undefined;
    throw error;
  }
}

async function make(table: TableApi, name: string, key: readonly [string] | readonly [string, string], signal: AbortSignal) {
  const [hash, range] = key;
  const names = range === undefined ? [hash] : [hash, range];
  try {
    await table.call(
      'CreateTable',
      {
        TableName: name,
        KeySchema: names.map((AttributeName, at) => ({ AttributeName, KeyType: at === 0 ? 'HASH' : 'RANGE' })),
        AttributeDefinitions: names.map(AttributeName => ({ AttributeName, AttributeType: 'S' })),
        BillingMode: 'PAY_PER_REQUEST',
      },
      signal,
    );
  } catch (error) {
    // Somebody else was quicker.
    if (!(error instanceof ServiceFault && error.name === 'ResourceInUseException')) throw error;
  }
}

/** Only rubbish is removed by time to live, so a service that refuses it is no reason to stop. */
async function expireBy(table: TableApi, { name, attribute }: { name: string; attribute: string }, signal: AbortSignal): Promise<void> {
  try {
    const { TimeToLiveDescription } = await table.call('DescribeTimeToLive', { TableName: name }, signal);
    if (TimeToLiveDescription?.TimeToLiveStatus !== 'DISABLED') return;
    const TimeToLiveSpecification = { Enabled: true, AttributeName: attribute } as const;
    await table.call('UpdateTimeToLive', { TableName: name, TimeToLiveSpecification }, signal);
  } catch (error) {
    if (!(error instanceof ServiceFault) || error.class === 'aborted') throw error;
  }
}
