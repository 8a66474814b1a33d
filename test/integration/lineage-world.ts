/**
 * A table on a server whose shards roll each few seconds, daemons over it as processes, somebody who writes, and somebody who reads the whole stream beside them:
 * what stood in which shard under which number is the truth that sinks are held against.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { controlStore } from '../../src/adapters/control-store.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import type { ControlStore, GapRow } from '../../src/ports/control-store.ts';
import type { StreamApi, StreamDescription } from '../../src/ports/stream-api.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { sourceOf } from '../../src/runners/shard-readers.ts';
import { keptLog, NEVER } from '../fakes/lease-world.ts';
import { startDynamoDb } from '../servers/dynamodb.ts';
import { type FastServer, startFastDynamoDb } from '../servers/fast-dynamodb.ts';
import type { Server } from '../servers/server.ts';
import { type Desk, desk, endAll, type Running, start } from './cli-desk.ts';
import type { Line, Truth } from './lineage-verdict.ts';

const WRITERS = 4;
/** Of each writer. */
const KEYS = 3;
const WRITE_EVERY_MS = 20;
const READ_EVERY_MS = 200;
const TRIES = 200;

export const SINKS = ['quick', 'slow'] as const;

export class LineageWorld {
  readonly #desk: Desk = desk("({ source, token, keys, after }) => [source.partition, token, keys.pk.S, after.n.N].join(' ')");
  readonly #stop = new AbortController();
  readonly #truth = new Map<string, Truth>();
  readonly #followed = new Set<string>();
  readonly #work: Promise<unknown>[] = [];
  readonly #servers: readonly [FastServer, Server];
  readonly #clients: AwsClients;
  readonly #control: ControlStore;
  #arn = '';
  /** As `key n`. */
  readonly #written = new Set<string>();
  #writes = true;
  /** By shard. */
  readonly parents = new Map<string, string | undefined>();

  static async open(speed: number): Promise<LineageWorld> {
    const world = new LineageWorld(await Promise.all([startFastDynamoDb(speed), startDynamoDb()]));
    await world.#begin();
    return world;
  }

  private constructor(servers: readonly [FastServer, Server]) {
    this.#servers = servers;
    this.#clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
    const table = this.#clients.table(place(servers[1]));
    this.#control = controlStore({ table, name: 'shop-control', create: true, clock: systemClock });
  }

  get truth(): readonly Truth[] {
    return [...this.#truth.values()];
  }

  get shards(): number {
    return this.parents.size;
  }

  gaps(): Promise<readonly GapRow[]> {
    return this.#control.gaps('orders', NEVER);
  }

  pause(sink: string, paused: boolean): Promise<void> {
    return this.#control.ask('orders', sink, paused, NEVER);
  }

  pace(speed: number): void {
    this.#servers[0].pace(speed);
  }

  /** A worker that has begun. */
  async worker(): Promise<Running> {
    const worker = start(['run', '-c', join(this.#desk.folder, 'settings.json')]);
    await worker.until(/"address":"/);
    return worker;
  }

  lines(sink: string): readonly Line[] {
    const path = join(this.#desk.folder, sink);
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
    return lines.map(line => {
      const [shard = '', token = '', key = '', n = ''] = line.split(' ');
      return { shard, token, key, n: Number(n) };
    });
  }

  /** No more writes; resolves when the whole stream has been read up to the last one. */
  async quiet(): Promise<void> {
    this.#writes = false;
    const isSeen = () => {
      const seen = new Set(this.truth.map(({ key, n }) => `${key} ${n}`));
      return [...this.#written].every(change => seen.has(change));
    };
    await until('the last write is in the stream', isSeen, 60_000);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await endAll();
    await Promise.allSettled(this.#work);
    await this.#clients.close();
    await Promise.all(this.#servers.map(server => server.stop()));
    this.#desk.remove();
  }

  async #begin(): Promise<void> {
    const [fast, state] = this.#servers;
    const table = this.#clients.table(place(fast));
    const streams = this.#clients.streams(place(fast));
    this.#arn = await streamOf(table);
    const source = { ...place(fast), table: 'orders', startingPosition: 'TRIM_HORIZON' };
    const sinks = SINKS.map(name => ({
      name,
      type: 'written-down',
      into: join(this.#desk.folder, name),
      slowMs: name === 'slow' ? 100 : 0,
    }));
    const settings = {
      name: 'shop',
      state: place(state),
      admin: { port: 0 },
      leases: { durationSeconds: 3, renewSeconds: 0.9 },
      limits: { drainSeconds: 5 },
      pipelines: [{ name: 'orders', source, sinks }],
    };
    this.#desk.file('settings.json', JSON.stringify(settings));
    await insist(() => this.#control.prepare(NEVER));
    for (let writer = 0; writer < WRITERS; writer++) this.#work.push(this.#keepWriting(table, writer));
    this.#work.push(this.#keepListing(streams));
    await until('the stream has a shard', () => this.shards > 0, 10_000);
  }

  /**
   * Each change is written until it stands: one that was done and not answered is no change the second time, and makes no record. Should it be done later
   * than its repeat it makes one more, so that the numbers say nothing of the order in the stream.
   */
  async #keepWriting(table: TableApi, writer: number): Promise<void> {
    for (let n = 1; !this.#stop.signal.aborted && this.#writes; n++) {
      const Item = { pk: { S: `k${writer}-${n % KEYS}` }, n: { N: String(n) } };
      this.#written.add(`${Item.pk.S} ${n}`);
      await insist(() => table.call('PutItem', { TableName: 'orders', Item }, NEVER));
      await sleep(WRITE_EVERY_MS);
    }
  }

  async #keepListing(streams: StreamApi): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const listing = await insist(() => streams.describe(this.#arn, NEVER));
      for (const { shardId, parentShardId } of listing.shards) {
        this.parents.set(shardId, parentShardId);
        if (this.#followed.has(shardId)) continue;
        this.#followed.add(shardId);
        this.#work.push(this.#follow(listing, shardId, streams));
      }
      await sleep(READ_EVERY_MS);
    }
  }

  async #follow(listing: StreamDescription, partition: string, streams: StreamApi): Promise<void> {
    const source = sourceOf(listing, partition);
    let last: ChangeRecord | undefined;
    let iterator: string | undefined;
    while (!this.#stop.signal.aborted) {
      const after =
        last === undefined ? ({ type: 'TRIM_HORIZON' } as const) : ({ type: 'AFTER_SEQUENCE_NUMBER', token: last.token } as const);
      const given = iterator === undefined ? await insist(() => streams.iterator(source, after, NEVER)) : undefined;
      // All of it has been read, or trimmed after that.
      if (given !== undefined && given.is !== 'iterator') return;
      const from = given?.iterator ?? iterator ?? '';
      const page = await streams.read(from, source, NEVER).catch(() => undefined);
      iterator = page?.is === 'page' ? page.next : undefined;
      if (page?.is !== 'page') continue;
      for (const record of page.records) this.#note(record);
      last = page.records.at(-1) ?? last;
      if (page.next === undefined) return;
      await sleep(READ_EVERY_MS);
    }
  }

  #note({ source: { partition: shard }, token, keys, after }: ChangeRecord): void {
    const [pk, n] = [keys['pk'], after?.['n']];
    const key = pk !== undefined && 'S' in pk ? pk.S : '';
    this.#truth.set(token, { shard, token, key, n: n !== undefined && 'N' in n ? Number(n.N) : 0 });
  }
}

const place = ({ endpoint }: Server) => ({ region: 'us-east-1', endpoint, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });

async function streamOf(table: TableApi): Promise<string> {
  const TableName = 'orders';
  const KeySchema = [{ AttributeName: 'pk', KeyType: 'HASH' }] as const;
  const AttributeDefinitions = [{ AttributeName: 'pk', AttributeType: 'S' }] as const;
  const StreamSpecification = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } as const;
  for (;;) {
    await table.call('CreateTable', { TableName, BillingMode: 'PAY_PER_REQUEST', KeySchema, AttributeDefinitions }, NEVER).catch(() => {});
    await table.call('UpdateTable', { TableName, StreamSpecification }, NEVER).catch(() => {});
    const described = await table.call('DescribeTable', { TableName }, NEVER).catch(() => undefined);
    if (described?.Table.LatestStreamArn !== undefined) return described.Table.LatestStreamArn;
    await sleep(20);
  }
}

/** A server that runs a thousand times as fast forgets connections within 30 ms. */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (tries === TRIES) throw error;
      await sleep(20);
    }
  }
}

export async function until(what: string, goal: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
  const from = performance.now();
  while (!(await goal())) {
    if (performance.now() - from > limitMs) throw new Error(`not within ${limitMs / 1_000} s: ${what}`);
    await sleep(50);
  }
}
