/** Measures how long a change takes into the replica, as an application would see it: writes a probe item, and looks for it there until it is. */
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { OrderWriter } from './order-writer.ts';
import type { Places } from './world-settings.ts';
import { ORDER_KEY } from './world-targets.ts';

const LOOK_EVERY_MS = 10;

/** Samples one order after another while the writer writes; ages in ms. */
export async function probeReplica(places: Places, writer: OrderWriter, signal: AbortSignal): Promise<number[]> {
  const { table, region, endpoint, credentials } = places.replica;
  const client = new DynamoDBClient({ region, endpoint, credentials });
  const ages: number[] = [];
  const keys = () => [...writer.history.keys()];
  for (let n = 0; !signal.aborted; n += 1) {
    const all = keys();
    const name = all[(n * 7919) % Math.max(1, all.length)];
    const [customer = '', order = ''] = name?.split('/') ?? [];
    const key = { [ORDER_KEY.hash]: { S: customer }, [ORDER_KEY.range]: { S: order } };
    const look = async () =>
      (await client.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true })).catch(() => undefined))?.Item;
    const before = name === undefined ? undefined : await look();
    for (let tries = 0; tries < 200 && !signal.aborted; tries += 1) {
      await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS));
      const item = name === undefined ? undefined : await look();
      if (item?.['seq']?.N === before?.['seq']?.N) continue;
      // The clock of both is this machine's.
      if (item?.['writtenAt']?.N !== undefined) ages.push(Date.now() - Number(item['writtenAt'].N));
      break;
    }
  }
  client.destroy();
  return ages;
}
