/** Measures how long a change takes into the replica, as an application would see it: looks there for what was written last until it is there. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type AttributeValue, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { OrderWriter } from './order-writer.ts';
import type { Places } from './world-settings.ts';
import { ORDER_KEY } from './world-targets.ts';

const LOOK_EVERY_MS = 10;

/** Samples one change after another while the writer writes; ages in ms. The clock of both is this machine's. */
export async function probeReplica(places: Places, writer: OrderWriter, signal: AbortSignal): Promise<number[]> {
  const { table, region, endpoint, credentials } = places.replica;
  const client = new DynamoDBClient({ region, endpoint, credentials });
  const ages: number[] = [];
  const look = async (Key: Record<string, AttributeValue>) =>
    (await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true })).catch(() => undefined))?.Item;
  let last = writer.latest;
  while (!signal.aborted) {
    await sleep(LOOK_EVERY_MS);
    const { latest } = writer;
    if (latest === undefined || latest === last) continue;
    last = latest;
    const [customer = '', order = ''] = latest.name.split('/');
    const key = { [ORDER_KEY.hash]: { S: customer }, [ORDER_KEY.range]: { S: order } };
    const removed = () => writer.history.get(latest.name)?.at(-1)?.endsWith('d');
    for (let seq = 0; seq < latest.seq && !signal.aborted && !removed(); ) {
      seq = Number((await look(key))?.['seq']?.N ?? 0);
      if (seq >= latest.seq) ages.push(Date.now() - latest.writtenAt);
      else await sleep(LOOK_EVERY_MS);
    }
  }
  client.destroy();
  return ages;
}
