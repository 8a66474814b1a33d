import { expect } from 'chai';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import type { TableApi } from '../../../src/ports/table-api.ts';
import { SourceTrouble, sourceTable } from '../../../src/runners/source-table.ts';
import { SOURCE_PLAN } from '../../fakes/daemon-world.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';

const NEVER = new AbortController().signal;
const refused = (message: string) => new ServiceFault('ValidationException', message, { class: 'invalid', status: 400 });

/** A table without a stream, whose UpdateTable is refused; `arn`: what it has from then on. */
function tableThatRefuses(fault: ServiceFault, arn: string | undefined): TableApi {
  let isRefused = false;
  const call = async (name: string) => {
    if (name === 'DescribeTable') {
      return {
        Table: { TableName: 'orders', TableArn: 'arn', TableId: 'id', ...(isRefused && arn !== undefined && { LatestStreamArn: arn }) },
      };
    }
    isRefused = true;
    throw fault;
  };
  return { call } as unknown as TableApi;
}

describe('source.enableStream', () => {
  async function look(tables: TableApi): Promise<unknown> {
    const clock = virtualClock();
    const found = sourceTable({ ...SOURCE_PLAN, enableStream: true }, { tables, clock }, NEVER).catch((error: unknown) => error);
    await clock.runUntil(found);
    return found;
  }

  it('a worker that is refused because another was the first goes on with the stream that is there', async () => {
    const found = await look(tableThatRefuses(refused('Table already has an enabled stream'), 'arn:stream'));
    expect(found).to.deep.equal({ tableId: 'id', streamArn: 'arn:stream' });
  });

  it('a refusal that leaves the table without a stream is a trouble', async () => {
    const found = await look(tableThatRefuses(refused('no streams here'), undefined));
    expect(found).to.be.instanceOf(SourceTrouble).with.property('message').that.contains('no streams here');
  });
});
