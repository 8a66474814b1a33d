/**
 * Three worker processes and more under a steady load on a real DynamoDB, and faults at random: kill -9, SIGSTOP for up to 30 s, SIGTERM, joins, several at a
 * time. Nothing is lost or out of order, what comes twice is within the stated bound, nobody writes after its lease is gone. A local stream has one shard, so
 * there are as many shards as tables. `FAULTS=110 SEED=7` for other numbers; `npm run soak -- workers` for the long form.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { leaseStore } from '../../src/adapters/lease-store.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { LeaseStore } from '../../src/ports/lease-store.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { amount, seeded } from '../e2e/numbers.ts';
import { keptLog, NEVER } from '../fakes/lease-world.ts';
import { heldAgainst } from '../run/held-against.ts';
import { startDynamoDb } from '../servers/dynamodb.ts';
import type { Server } from '../servers/server.ts';
import { type Desk, desk, endAll } from './cli-desk.ts';
import { type FaultKind, Fleet, type Line, Lines, type Member, SIGNED } from './fleet.ts';
import { changes, duplicates, lossesOf, shown, zombies } from './fleet-verdict.ts';
import { SteadyLoad } from './steady-load.ts';

const FAULTS = amount('FAULTS', 5);
const SEED = amount('SEED', 9);
const COLD_STARTS = amount('COLD_STARTS', 1);
const LONGEST_FREEZE_MS = amount('FREEZE_SECONDS', 6) * 1_000;
const TABLES = ['orders0', 'orders1', 'orders2', 'orders3', 'orders4', 'orders5'];
const LEASE_MS = 3_000;
const RENEW_MS = 900;
const WRITE_EACH_MS = 60;
/** Positions are saved once a second; the rest is for a save under way on a busy machine. */
const CRASH_BOUND_MS = 1_000 + 1_500;

describe('a fleet of worker processes under faults', function () {
  this.timeout(120_000 + FAULTS * 30_000 + COLD_STARTS * 30_000);
  const random = seeded(SEED);
  const upTo = (ms: number) => Math.round(random() * ms);
  const load = new SteadyLoad({ keys: 7, everyMs: WRITE_EACH_MS });
  let at: Desk;
  let server: Server;
  let clients: AwsClients;
  let lines: Lines;
  const balances: number[] = [];

  before(async () => {
    at = desk(SIGNED);
    server = await startDynamoDb();
    clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
    lines = new Lines(join(at.folder, 'shop'));
    for (const name of TABLES) load.tables.set(name, clients.table(place(name)));
    await Promise.all([...load.tables].map(([TableName, source]) => makeTable(TableName, source)));
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

  async function makeTable(TableName: string, source: TableApi): Promise<void> {
    const key = { KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' as const }], BillingMode: 'PAY_PER_REQUEST' as const };
    await source.call('CreateTable', { TableName, AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }], ...key }, NEVER);
    const StreamSpecification = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } as const;
    await source.call('UpdateTable', { TableName, StreamSpecification }, NEVER);
  }

  function settings(name: string): string {
    return at.file(
      `${name}.json`,
      JSON.stringify({
        name,
        state: place('state'),
        admin: { port: 0 },
        leases: { durationSeconds: LEASE_MS / 1_000, renewSeconds: RENEW_MS / 1_000 },
        limits: { drainSeconds: 5 },
        pipelines: TABLES.map(table => ({
          name: table,
          source: { ...place(table), table },
          sinks: [{ name: 'all', type: 'written-down', into: join(at.folder, name) }],
        })),
      }),
    );
  }

  async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<number> {
    const from = Date.now();
    while (!(await holds())) {
      if (Date.now() - from > limitMs) throw new Error(`after ${limitMs / 1_000} s not yet: ${what}`);
      await sleep(50);
    }
    return Date.now() - from;
  }

  /** Every table is read by a process that is well, since then. */
  const allRead = (fleet: Fleet, since: number) => {
    lines.look();
    const well = new Set(fleet.healthy.map(({ pid }) => pid));
    return TABLES.every(table => [...(lines.latest.get(table) ?? [])].some(([pid, latest]) => well.has(pid) && latest > since));
  };

  const leasesOf = (name: string): LeaseStore =>
    leaseStore({ table: clients.table(place('state')), name: `${name}-leases`, create: true, clock: systemClock });

  /** No process has two more than another one. */
  async function isBalanced(fleet: Fleet, name = 'shop'): Promise<boolean> {
    const counts = new Map<string, number>();
    for (const { owner = 'nobody' } of await leasesOf(name).scan(NEVER)) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    const all = [...counts.values()];
    return !counts.has('nobody') && counts.size === fleet.live.length && Math.max(...all) - Math.min(...all) <= 1;
  }

  const pick = <T>(from: readonly T[]): T => {
    const one = from[Math.floor(random() * from.length)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  };

  /** Most are short of a lease, some much longer. */
  const freezeMs = () => 100 + (random() < 0.5 ? upTo(LEASE_MS) : upTo(LONGEST_FREEZE_MS - 100));

  async function joined(fleet: Fleet): Promise<void> {
    const alone = fleet.healthy.length === fleet.live.length && (await isBalanced(fleet));
    await fleet.join();
    if (!alone) return;
    const from = Date.now();
    await until('balanced', () => isBalanced(fleet), 40_000).then(
      () => balances.push(Date.now() - from),
      () => balances.push(Number.POSITIVE_INFINITY),
    );
  }

  /** Shuffled anew when it is empty; the first one has each kind once. Joins make good for who has gone besides. */
  const deck: FaultKind[] = ['kill', 'freeze', 'term'];
  const MIX: readonly FaultKind[] = ['kill', 'kill', 'kill', 'term', 'term', 'freeze', 'freeze', 'freeze', 'join'];
  function drawn(): FaultKind {
    if (deck.length === 0) deck.push(...MIX);
    return deck.splice(Math.floor(random() * deck.length), 1)[0] ?? 'kill';
  }

  /** One fault, and in two of three cases its end. */
  async function befall(fleet: Fleet, pending: Promise<void>[]): Promise<void> {
    await until('two processes are up', () => fleet.healthy.length >= 2);
    const from = Date.now();
    const kind = fleet.live.length < 3 ? 'join' : drawn();
    if (kind === 'join') await joined(fleet);
    else if (kind === 'kill') fleet.kill(pick(fleet.healthy));
    else if (kind === 'term') pending.push(fleet.term(pick(fleet.healthy)));
    else pending.push(fleet.freeze(pick(fleet.healthy), freezeMs()));
    if (random() < 0.35) return void (await sleep(upTo(1_500)));
    await until('every table is read again', () => allRead(fleet, from));
    if (fleet.healthy.length === fleet.live.length) fleet.settled();
  }

  /** Services of their own: from the start of a process, and from its first word, to the first record; then a second process, until both have their share. */
  async function quiet(): Promise<string> {
    const [all, own, shared]: [number[], number[], number[]] = [[], [], []];
    for (let n = 0; n < COLD_STARTS; n++) {
      const name = `cold${n}`;
      const seen = new Lines(join(at.folder, name));
      const fleet = new Fleet(['run', '-c', settings(name)]);
      const first = fleet.launch();
      await until('the first record', () => seen.look().length > 0 || fleet.surprises.length > 0);
      expect(fleet.surprises).to.deep.equal([]);
      const writtenAt = seen.all[0]?.at ?? 0;
      const { time } = JSON.parse(first.running.stderr().split('\n')[0] ?? '') as { time: string };
      all.push(writtenAt - first.startedAt);
      own.push(writtenAt - Date.parse(time));
      await until('one has all', () => isBalanced(fleet, name));
      await fleet.join();
      shared.push(await until('two have their shares', () => isBalanced(fleet, name)));
      await Promise.all(fleet.live.map(member => fleet.term(member)));
    }
    return [
      shown('cold start to first record', all),
      shown('of it after the program was loaded', own),
      shown('two processes, from the second one up to balanced', shared),
    ].join('\n        ');
  }

  function judge(fleet: Fleet): readonly string[] {
    const seen: readonly Line[] = lines.look();
    const losses = fleet.members.flatMap(({ pid, running }) => lossesOf(pid, running.stderr()));
    // A row of members is read at each interval, so who is dead may be taken for alive for two more.
    const all = changes(seen, { faults: fleet.faults, losses, leaseMs: LEASE_MS + 2 * RENEW_MS });
    const ms = (cause: string, alone?: boolean) => all.filter(one => one.cause === cause && (!alone || one.alone)).map(one => one.ms);
    const twice = duplicates(seen, fleet.faults, losses);
    const kinds = ['kill', 'freeze', 'term', 'join'].map(kind => `${fleet.faults.filter(fault => fault.kind === kind).length} ${kind}`);
    console.log(
      [
        `${fleet.faults.length} faults (${kinds.join(', ')}), seed ${SEED}; ${seen.length} records, ${twice.agesMs.length} given twice`,
        shown('failover, kill -9 to first record by the successor, alone', ms('kill', true)),
        shown('failover, all', ms('kill')),
        shown('from SIGSTOP to first record by the successor', ms('freeze')),
        shown('hand-off, last record of the one to first of the other, nobody killed or frozen', ms('handed', true)),
        shown('hand-off, all', ms('handed')),
        shown('lost without a fault', ms('lost')),
        shown('a joining process amid other moves, from up to balanced (a row that was handed over stays for 30 s)', balances),
        shown('given twice: first given so long before its writer was stopped', twice.agesMs),
      ]
        .map(line => `        ${line}`)
        .join('\n'),
    );
    expect(zombies(seen), 'writes after the lease had gone').to.deep.equal([]);
    expect(twice.unexplained, 'given twice though nothing had stopped the writer').to.deep.equal([]);
    expect(Math.max(0, ...twice.agesMs)).to.be.below(losses.length > 0 ? LEASE_MS + CRASH_BOUND_MS : CRASH_BOUND_MS);
    return fleet.surprises;
  }

  it(`${FAULTS} faults (seed ${SEED}): 0 lost, 0 out of order, duplicates within the bound`, async () => {
    const stop = new AbortController();
    const fleet = new Fleet(['run', '-c', settings('shop')]);
    await leasesOf('shop').prepare(NEVER);
    const writing = load.keepWriting(stop.signal);
    const founders: Member[] = [fleet.launch(), fleet.launch(), fleet.launch()];
    await until('three are up', () => fleet.healthy.length === founders.length);
    await until('every table is read', () => allRead(fleet, Date.now() - 500));
    const pending: Promise<void>[] = [];
    while (fleet.faults.length < FAULTS) await befall(fleet, pending);
    await Promise.all(pending);
    await until('every table is read', () => allRead(fleet, Date.now() - 500));
    stop.abort();
    await writing;
    const verdict = () =>
      heldAgainst(
        load.history,
        lines.look().map(line => ({ ...line, writtenAt: 0 })),
        { name: 'all', exactlyOnce: false },
      );
    await until('everything is there', () => verdict().missing === 0, 30_000).catch(() => {});
    const { missing, outOfOrder, example } = verdict();
    expect(judge(fleet)).to.deep.equal([]);
    expect([missing, outOfOrder, example]).to.deep.equal([0, 0, undefined]);
    await Promise.all(fleet.live.map(member => fleet.term(member)));
    expect(fleet.surprises).to.deep.equal([]);
    console.log(`        ${await quiet()}`);
  });
});
