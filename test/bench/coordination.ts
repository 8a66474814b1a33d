/**
 * Real daemons with their real state stores on a virtual clock, over tables in memory that count units: what an hour of coordination costs. The stream
 * has had a day's life, each shard rolls each four hours, as on the service, so that most rows are of shards that have ended.
 */
import drop from '../../connectors/drop/index.ts';
import { controlStore } from '../../src/adapters/control-store.ts';
import { leaseStore } from '../../src/adapters/lease-store.ts';
import type { Item } from '../../src/model/item.ts';
import type { Ms } from '../../src/model/units.ts';
import type { StreamApi } from '../../src/ports/stream-api.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { itemBytes } from '../../src/replication/image.ts';
import { daemon } from '../../src/runners/daemon.ts';
import type { DaemonPlan } from '../../src/runners/daemon-plan.ts';
import type { FakeStream } from '../fakes/fake-stream.ts';
import { FakeStreams } from '../fakes/fake-streams.ts';
import { type FakeTables, fakeTables } from '../fakes/fake-table.ts';
import { TIMING } from '../fakes/lease-world.ts';
import { DELIVERY, silentLog } from '../fakes/pipeline-world.ts';
import { seededRandom, type VirtualClock, virtualClock } from '../fakes/virtual-clock.ts';
import { type Capacity, type Count, counted } from './capacity.ts';

export interface Case {
  readonly shards: number;
  readonly workers: number;
  /** A record a second on each shard. */
  readonly busy: boolean;
  readonly windowMs: Ms;
}

/** Per hour. */
export interface Hour extends Case {
  readonly reads: ReadonlyMap<string, Count>;
  readonly writes: ReadonlyMap<string, Count>;
  readonly describes: number;
  /** Rows in the lease table, and the bytes of one. */
  readonly rows: number;
  readonly rowBytes: number;
}

const HOUR_MS: Ms = 3_600_000;
const ROLL_MS: Ms = 4 * HOUR_MS;
/** Seldom, so that a world of thousands of shards can be run: what is polled is not coordination. */
const POLL_MS: Ms = 1_000;
const IDLE_MS: Ms = 5_000;
const SETTLE_MS: Ms = 30_000;
/** Of a page: about a megabyte. */
const SCAN_ROWS = 1_600;

export async function coordination(of: Case): Promise<Hour> {
  const world = await settled(of);
  const { tables, clock } = world;
  const before = snapshot(world);
  await life(of, world);
  const after = snapshot(world);
  const factor = HOUR_MS / of.windowMs;
  const rows = tables.items('leases');
  const held = rows.findLast(item => 'leaseOwner' in item);
  world.stop.abort();
  await clock.runUntil(Promise.all(world.ends));
  return {
    ...of,
    reads: perHour(before.reads, after.reads, factor),
    writes: perHour(before.writes, after.writes, factor),
    describes: (after.describes - before.describes) * factor,
    rows: rows.length,
    rowBytes: held === undefined ? 0 : itemBytes(held),
  };
}

interface World {
  readonly clock: VirtualClock;
  readonly stream: FakeStream;
  readonly tables: FakeTables;
  readonly capacity: Capacity;
  readonly calls: { describes: number };
  readonly stop: AbortController;
  readonly ends: readonly Promise<void>[];
}

/** A day of the stream has passed, and all its shards are held. */
async function settled({ shards, workers }: Case): Promise<World> {
  const clock = virtualClock();
  const streams = new FakeStreams(clock, { latencyMs: 0, describesPerSecond: Number.POSITIVE_INFINITY });
  const stream = streams.create({ roots: shards });
  for (let generation = 0; generation < 6; generation++) {
    await clock.advance(ROLL_MS);
    for (const { id } of stream.open) stream.roll(id);
  }
  const tables = fakeTables({ scanRows: SCAN_ROWS });
  const capacity = counted(tables, kind);
  const calls = { describes: 0 };
  const state = { table: capacity.api, create: true, clock };
  const stop = new AbortController();
  const parts = {
    clock,
    random: seededRandom(1),
    log: silentLog,
    observer: {},
    leases: leaseStore({ ...state, name: 'leases' }),
    control: controlStore({ ...state, name: 'control' }),
    source: () => ({ tables: table(stream), streams: paged(streams, calls) }),
    table: unused,
    kinesis: unused,
  };
  const ends = Array.from({ length: workers }, (_, n) => daemon(plan(n), parts).run(stop.signal));
  while (!isAtRest(tables.items('leases'), shards)) await clock.advance(1_000);
  await clock.advance(SETTLE_MS);
  return { clock, stream, tables, capacity, calls, stop, ends };
}

/** A record a second on each shard of a busy stream, and rolls evenly over four hours. */
async function life({ shards, busy, windowMs }: Case, { stream, clock }: World): Promise<void> {
  let rolledMs = 0;
  for (let at = 0; at < windowMs; at += 1_000) {
    if (busy) for (const { id } of stream.open) stream.append(id);
    for (; rolledMs + ROLL_MS / shards <= at + 1_000; rolledMs += ROLL_MS / shards) {
      const [oldest] = stream.open;
      if (oldest !== undefined) stream.roll(oldest.id);
    }
    await clock.advance(1_000);
  }
}

function kind(name: string, request: { readonly TableName: string; readonly ExpressionAttributeNames?: object }): string {
  if (request.TableName === 'control') return `${name} control`;
  if (name !== 'UpdateItem') return `${name} leases`;
  const names = Object.values(request.ExpressionAttributeNames ?? {});
  if (names.includes('acquireNonce')) return 'take';
  return names.includes('positions') ? 'checkpoint' : 'renewal';
}

/** Each open shard is held, and each that has ended is marked so. */
function isAtRest(rows: readonly Item[], shards: number): boolean {
  const open = rows.filter(({ checkpoint }) => checkpoint !== undefined && 'S' in checkpoint && checkpoint.S !== 'SHARD_END');
  return open.length === shards && open.every(row => 'leaseOwner' in row);
}

function plan(n: number): DaemonPlan {
  const source = {
    ...({ table: 'orders', region: 'us-east-1', startingPosition: 'LATEST', onGap: 'continue', enableStream: false } as const),
    ...{ pollMs: POLL_MS, idleMs: IDLE_MS },
  };
  return {
    name: 'shop',
    worker: `host-${n}-0123456789ab`,
    leases: TIMING,
    limits: { memoryBytes: 256 * 1024 * 1024, drainMs: 20_000 },
    pipelines: [
      { name: 'orders', source, sinks: [{ name: 'eu', type: 'drop', enabled: true, options: {}, delivery: DELIVERY, connector: drop }] },
    ],
  };
}

/** DescribeStream lists a hundred shards a call. */
function paged(streams: FakeStreams, calls: { describes: number }): StreamApi {
  return {
    describe: async (arn, signal) => {
      const listing = await streams.describe(arn, signal);
      calls.describes += Math.max(1, Math.ceil(listing.shards.length / 100));
      return listing;
    },
    children: (arn, shardId, signal) => {
      calls.describes += 1;
      return streams.children(arn, shardId, signal);
    },
    iterator: (...asked) => streams.iterator(...asked),
    read: (...asked) => streams.read(...asked),
  };
}

function table(stream: FakeStream): TableApi {
  const Table = {
    TableName: 'orders',
    TableArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/orders',
    TableStatus: 'ACTIVE',
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    LatestStreamArn: stream.arn,
    StreamSpecification: { StreamEnabled: true, StreamViewType: stream.parts.viewType },
  };
  return { call: async () => ({ Table }) } as unknown as TableApi;
}

function unused(): never {
  throw new Error('nothing here asks for a client');
}

function snapshot({ capacity: { reads, writes }, calls: { describes } }: World) {
  const copy = (counts: ReadonlyMap<string, Count>) => new Map([...counts].map(([name, count]) => [name, { ...count }]));
  return { reads: copy(reads), writes: copy(writes), describes };
}

function perHour(before: ReadonlyMap<string, Count>, after: ReadonlyMap<string, Count>, factor: number): ReadonlyMap<string, Count> {
  return new Map(
    [...after].map(([name, { calls, units }]) => {
      const was = before.get(name) ?? { calls: 0, units: 0 };
      return [name, { calls: (calls - was.calls) * factor, units: (units - was.units) * factor }];
    }),
  );
}
