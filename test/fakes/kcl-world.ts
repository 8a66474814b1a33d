/**
 * The lease table of a Java application beside a table with its stream: rows in the shapes that real versions of the Kinesis Client Library leave behind
 * (fixtures/kcl-lease-rows.json), a fleet that can be alive, and daemons that take the table over. Our real stores, over the fake of DynamoDB.
 */
import { readFileSync } from 'node:fs';
import { kclTable } from '../../src/adapters/kcl-table.ts';
import { kclNames } from '../../src/adapters/lease-names.ts';
import { leaseStore } from '../../src/adapters/lease-store.ts';
import type { Item } from '../../src/model/item.ts';
import { DaemonWorld, type Worker, type WorkerPlan } from './daemon-world.ts';
import { fakeTables } from './fake-table.ts';
import { NEVER } from './lease-world.ts';

interface GoldenTable {
  readonly keySchema: readonly { readonly AttributeName: string; readonly KeyType: 'HASH' }[];
  readonly items: readonly Item[];
}

type Golden = Readonly<Record<string, Readonly<Record<string, GoldenTable>>>>;

/** Situation -> table -> its rows. */
export const GOLDEN: Golden = JSON.parse(readFileSync(new URL('../fixtures/kcl-lease-rows.json', import.meta.url), 'utf8'));

export const APP = 'java-app';
export type KclVersion = '1.15' | '3.1.1' | '3.5.1';

/** Everything of the tables of one situation, by what follows the application's name. */
export function goldenTables(situation: string): ReadonlyMap<string, GoldenTable> {
  const tables = Object.entries(GOLDEN[situation] ?? {});
  const app = tables.map(([name]) => name).sort((a, b) => a.length - b.length)[0] ?? '';
  return new Map(tables.map(([name, table]) => [name.slice(app.length), table]));
}

/** A lease row as a version writes it; `more` says what is different, undefined what is not there. */
export function kclRow(version: KclVersion, shardId: string, more: Readonly<Record<string, Item[string] | undefined>> = {}): Item {
  const situation = `kcl-${version === '3.5.1' ? '3.5.1' : '3.1.1'} after a graceful stop (1 worker, 1 shard)`;
  const golden = goldenTables(situation)
    .get('')
    ?.items.find(item => item['leaseCounter'] !== undefined);
  if (golden === undefined) throw new Error(`no golden row of ${version}`);
  // 1.x knows neither throughput nor, with its adapter, hash ranges.
  const unknown = version === '1.15' ? { throughputKBps: undefined, startingHashKey: undefined, endingHashKey: undefined } : {};
  const entries = Object.entries({ ...golden, ...unknown, leaseKey: { S: shardId }, ...more });
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

export class KclWorld {
  readonly world: DaemonWorld;
  /** State tables. */
  readonly tables = fakeTables({ scanRows: 3 });

  constructor(world = new DaemonWorld()) {
    this.world = world;
  }

  /** Rows of one of the application's tables; `beside`: what follows its name. */
  async left(items: readonly Item[], beside = '', hash = 'leaseKey'): Promise<void> {
    const TableName = `${APP}${beside}`;
    const request = {
      TableName,
      KeySchema: [{ AttributeName: hash, KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: hash, AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    } as const;
    await this.tables.call('CreateTable', request, NEVER).catch(() => {});
    for (const item of items) await this.put(item, beside);
  }

  async put(item: Item, beside = ''): Promise<void> {
    await this.tables.call('PutItem', { TableName: `${APP}${beside}`, Item: item }, NEVER);
  }

  /** Lease rows, by what they are named. */
  rows(): ReadonlyMap<string, Item> {
    return new Map(this.tables.items(APP).map(item => [textOf(item['leaseKey']), item]));
  }

  row(key: string): Item {
    const row = this.rows().get(key);
    if (row === undefined) throw new Error(`no row ${key}`);
    return row;
  }

  /** A write of the Java application: what is not named stays, the counter goes up. */
  async javaWrites(key: string, more: Item = {}): Promise<void> {
    const row = this.row(key);
    const counter = row['leaseCounter'];
    await this.put({ ...row, ...more, leaseCounter: { N: String(Number(counter && 'N' in counter ? counter.N : 0) + 1) } });
  }

  start(plan: WorkerPlan = {}): Worker {
    const { clock } = this.world;
    const state = { table: this.tables, name: APP, clock };
    const names = kclNames({ several: (plan.pipelines?.length ?? 1) > 1 });
    return this.world.start({ ...plan, leases: leaseStore({ ...state, create: false }, names), kcl: kclTable(state) });
  }
}

export function textOf(value: Item[string] | undefined): string {
  return value !== undefined && 'S' in value ? value.S : '';
}
