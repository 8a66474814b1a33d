/**
 * Several workers as processes on a real DynamoDB: one joins, one is told to stop, one is killed, while tables are written to. Nothing is lost or out of
 * order. A local stream has one shard, so that there are as many shards as tables.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { leaseStore } from '../../src/adapters/lease-store.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { LeaseStore } from '../../src/ports/lease-store.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { keptLog, NEVER } from '../fakes/lease-world.ts';
import { heldAgainst } from '../run/held-against.ts';
import { startDynamoDb } from '../servers/dynamodb.ts';
import type { Server } from '../servers/server.ts';
import { type Desk, desk, endAll, type Running, start } from './cli-desk.ts';
import { SteadyLoad } from './steady-load.ts';

const TABLES = ['orders0', 'orders1', 'orders2', 'orders3'];
const LEASE_MS = 3_000;

describe('several workers as processes', function () {
  this.timeout(90_000);
  let at: Desk;
  let server: Server;
  let clients: AwsClients;
  let leases: LeaseStore;
  let file: string;
  const load = new SteadyLoad({ keys: 5, everyMs: 20 });

  before(async () => {
    at = desk("({ source, keys, after }) => source.table + '/' + keys.pk.S + ' ' + after.n.N");
    server = await startDynamoDb();
    clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
    const table = (accessKeyId: string) =>
      clients.table({ endpoint: server.endpoint, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey: 'b' } });
    leases = leaseStore({ table: table('state'), name: 'shop-leases', create: true, clock: systemClock });
    for (const name of TABLES) load.tables.set(name, table(name));
    await Promise.all([...load.tables].map(([name, source]) => makeTable(name, source)));
    file = at.file('workers.json', JSON.stringify(settings()));
  });

  after(async () => {
    await endAll();
    await clients?.close();
    await server?.stop();
    at.remove();
  });

  const place = (accessKeyId: string) => ({
    region: 'us-east-1',
    endpoint: server.endpoint,
    credentials: { accessKeyId, secretAccessKey: 'b' },
  });

  function settings() {
    return {
      name: 'shop',
      state: place('state'),
      admin: { port: 0 },
      leases: { durationSeconds: LEASE_MS / 1_000, renewSeconds: 0.9 },
      limits: { drainSeconds: 5 },
      pipelines: TABLES.map(name => ({
        name,
        source: { ...place(name), table: name, enableStream: true, startingPosition: 'TRIM_HORIZON' },
        sinks: [{ name: 'all', type: 'written-down', into: join(at.folder, 'all') }],
      })),
    };
  }

  async function makeTable(TableName: string, source: TableApi): Promise<void> {
    await source.call(
      'CreateTable',
      {
        TableName,
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        BillingMode: 'PAY_PER_REQUEST',
      },
      NEVER,
    );
  }

  function seen() {
    const path = join(at.folder, 'all');
    const lines = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
    return lines.map(line => {
      const [key = '', change = ''] = line.split(' ');
      return { key, change, at: undefined, writtenAt: 0 };
    });
  }

  /** How many rows each worker has, the fewest first. */
  async function shares(): Promise<readonly number[]> {
    const counts = new Map<string, number>();
    for (const { owner = 'nobody' } of await leases.scan(NEVER)) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    return [...counts.values()].sort((a, b) => a - b);
  }

  async function until(wanted: readonly number[], limitMs: number): Promise<number> {
    const from = performance.now();
    for (;;) {
      const now = await shares();
      if (String(now) === String(wanted)) return performance.now() - from;
      if (performance.now() - from > limitMs) throw new Error(`after ${limitMs} ms the workers have ${now} rows, not ${wanted}`);
      await sleep(20);
    }
  }

  const worker = (): Running => start(['run', '-c', file]);

  it('a join, a SIGTERM and a kill -9: nothing is lost or out of order', async () => {
    const stop = new AbortController();
    const first = worker();
    await first.until(/"address":"/);
    await leases.prepare(NEVER);
    await until([4], 20_000);
    const writing = load.keepWriting(stop.signal);
    const second = worker();
    await second.until(/"address":"/);
    const joined = await until([2, 2], 10_000);
    await sleep(1_000);
    const calm = heldAgainst(load.history, seen(), { name: 'all', exactlyOnce: false });
    const from = performance.now();
    first.process.kill('SIGTERM');
    await until([4], 2_500);
    const handed = performance.now() - from;
    expect((await first.ended).code).to.equal('0');
    const afterTerm = heldAgainst(load.history, seen(), { name: 'all', exactlyOnce: false });
    const third = worker();
    await third.until(/"address":"/);
    await until([2, 2], 10_000);
    second.process.kill('SIGKILL');
    const taken = await until([4], LEASE_MS * 4);
    stop.abort();
    await writing;
    await sleep(2_000);
    const verdict = heldAgainst(load.history, seen(), { name: 'all', exactlyOnce: false });
    console.log(`        join ${Math.round(joined)} ms, SIGTERM ${Math.round(handed)} ms, kill -9 ${Math.round(taken)} ms,`);
    console.log(
      `        ${verdict.records} records, given twice: ${[calm, afterTerm, verdict].map(({ duplicates }) => duplicates).join(', ')}`,
    );
    expect([verdict.missing, verdict.outOfOrder, verdict.example]).to.deep.equal([0, 0, undefined]);
    expect([calm.duplicates, afterTerm.duplicates]).to.deep.equal([0, 0]);
    third.process.kill('SIGTERM');
    expect((await third.ended).code).to.equal('0');
  });
});
