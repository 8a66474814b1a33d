/** What an item of 500 bytes costs to write into a replica, by the way it takes: against a stub, so that the client is measured, and DynamoDB Local. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import replica from '../../connectors/replica/index.ts';
import { awsClients } from '../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { Sink } from '../../src/connector.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import { silentLog } from '../fakes/pipeline-world.ts';
import { batchOf, recordSource, TableScript } from '../fakes/records.ts';
import { testHost } from '../fakes/test-host.ts';
import { startDynamoDb } from '../servers/dynamodb.ts';
import { type Measured, measured } from './measure.ts';

const ITEMS = 2_000;
const BATCH = 250;
const IN_FLIGHT = 4;
/** The SDK writes into the object that it is given. */
const place = () => ({ region: 'us-east-1', credentials: { accessKeyId: 'bench', secretAccessKey: 'b' } });

export async function benchWrite(): Promise<Measured[]> {
  const stub = spawn(process.execPath, [fileURLToPath(new URL('./stub-table.mjs', import.meta.url))]);
  const [port] = await once(stub.stdout, 'data');
  const local = await startDynamoDb();
  try {
    const stubbed = await rows(`http://127.0.0.1:${String(port).trim()}`, 'stub');
    return [...stubbed, ...(await rows(local.endpoint, 'DynamoDB Local'))];
  } finally {
    stub.kill();
    await local.stop();
  }
}

async function rows(endpoint: string, where: string): Promise<Measured[]> {
  const clients = awsClients({ clock: systemClock, random: systemRandom, log: silentLog });
  const lend = (more: object) =>
    replica.open(
      replica.schema.parse({ table: 'copy', endpoint, createTable: true, ...place(), ...more }),
      testHost({ table: options => clients.table(options) }),
    );
  const sink = await lend({});
  const sdk = await lend({ client: 'sdk' });
  const plain = await lend({ writes: 'batch' });
  const work = changes();
  // Makes the table.
  await writeAll(sink, work.inserts(98).slice(0, 1), 0);
  const way = (name: string, to: Sink, records: (run: number) => readonly ChangeRecord[], replayedBefore = 0) => {
    let run = 0;
    return measured(`${where}: ${name}`, () => writeAll(to, records(run++), replayedBefore));
  };
  try {
    return [
      await measured(`${where}: AWS SDK, PutItem with a condition, 64 in flight`, () => bareSdk(endpoint, work.inserts(99))),
      await way('inserts, 25 statements to a call', sink, work.inserts),
      await way('changes of what was written here, 25 to a call', sink, work.changes),
      await way('changes of what was not, one put each', sink, work.strangers),
      await way('given again after a restart, a transaction each', sink, work.strangers, Number.MAX_SAFE_INTEGER),
      await way('removals: tombstone and removal', sink, work.removals),
      await way('changes through the SDK client, one put each', sdk, work.strangers),
      await way('writes: batch', plain, work.strangers),
    ];
  } finally {
    for (const each of [sink, sdk, plain]) await each.close();
    await clients.close();
  }
}

/** Each run writes other versions: `n` rises, the stamps too. */
function changes() {
  const source = recordSource({ keyNames: ['pk', 'sk'] });
  const script = new TableScript({ source });
  const filler = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`attribute${i}`, { S: 'x'.repeat(40) }]));
  const key = (kind: string, run: number, i: number) => ({ pk: { S: `${kind}-${run}-${i}` }, sk: { S: 'order' } });
  const all = (make: (i: number) => ChangeRecord) => Array.from({ length: ITEMS }, (_, i) => make(i));
  let n = 0;
  const put = (keys: ReturnType<typeof key>) => script.put(keys, { ...filler, n: { N: String(n++) } });
  return {
    inserts: (run: number) => all(i => put(key('i', run, i))),
    changes: (run: number) => all(i => put(key('i', Math.min(run, 3), i))),
    strangers: (run: number) => all(i => ({ ...put(key('s', run, i)), kind: 'modify' as const })),
    removals: (run: number) =>
      all(i => {
        put(key('r', run, i));
        return script.remove(key('r', run, i));
      }),
  };
}

async function writeAll(sink: Sink, records: readonly ChangeRecord[], replayedBefore: number): Promise<number> {
  let next = 0;
  const lane = async () => {
    while (next < records.length) {
      const cut = records.slice(next, next + BATCH);
      next += BATCH;
      const { failed } = await sink.write(batchOf(cut, replayedBefore), new AbortController().signal);
      if (failed[0]) throw new Error(failed[0].reason);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return records.length;
}

async function bareSdk(endpoint: string, records: readonly ChangeRecord[]): Promise<number> {
  const client = new DynamoDBClient({ endpoint, ...place() });
  let next = 0;
  const lane = async () => {
    for (let record = records[next++]; record; record = records[next++]) {
      const Item = Object.fromEntries(Object.entries(record.after ?? {}));
      const condition = {
        ConditionExpression: 'attribute_not_exists(#pk) OR #n < :n',
        ExpressionAttributeNames: { '#pk': 'pk', '#n': 'n' },
      };
      await client.send(
        new PutItemCommand({ TableName: 'copy', Item: Item as never, ...condition, ExpressionAttributeValues: { ':n': { N: '1e30' } } }),
      );
    }
  };
  await Promise.all(Array.from({ length: 64 }, lane));
  client.destroy();
  return records.length;
}
