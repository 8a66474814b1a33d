/**
 * The tables that a sink writes to, one for each source table: found at open, checked against the source before the first write (key schema, not the
 * source itself), made then where that is wanted. Whatever is missing halts the sink with its name, and is looked at again.
 */
import { type Host, SinkFault } from '../../src/connector.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import type { KeyNames } from '../../src/model/key.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { TableApi, TableDescription } from '../../src/ports/table-api.ts';
import type { Rules } from '../../src/replication/versions.ts';
import type { Options } from './options.ts';
import { haltOf, NOT_READY_MS } from './outcomes.ts';

export interface Target {
  readonly table: string;
  readonly keyNames: KeyNames;
  readonly rules: Rules;
}

export interface TargetParts {
  readonly options: Options;
  readonly host: Host;
  readonly api: TableApi;
  /** By the names of the regions that decide between two writers. */
  readonly rulesBetween: (from: string, to: string) => Rules;
}

export class Targets {
  readonly #parts: TargetParts;
  readonly #ready = new Map<string, Target>();

  constructor(parts: TargetParts) {
    this.#parts = parts;
  }

  /** Target tables' names. */
  get tables(): readonly string[] {
    return this.#parts.host.sources.map(source => this.#nameFor(source.table));
  }

  async open(signal: AbortSignal): Promise<void> {
    const { host, options } = this.#parts;
    if (new Set(this.tables).size < this.tables.length) {
      throw new SinkFault(
        'halt',
        `two source tables would be written to one table ${options.table}: their keys would collide. Say {table} in its name`,
      );
    }
    for (const source of host.sources) {
      const found = await this.#describe(this.#nameFor(source.table), signal);
      if (found === undefined && !options.createTable) {
        throw new SinkFault(
          'halt',
          `table ${this.#nameFor(source.table)} is missing in ${this.#place()}. Create it, or say createTable: true`,
          {
            heals: true,
          },
        );
      }
      const twin = host.sources.find(each => each.tableId !== '' && each.tableId === found?.TableId);
      if (twin) throw sameTable(twin.table);
    }
  }

  /** The target of a record; a fault when it cannot be written yet. */
  async of(record: ChangeRecord, signal: AbortSignal): Promise<Target> {
    const known = this.#ready.get(record.source.table);
    if (known) return known;
    const target = await this.#prepare(record, signal);
    this.#ready.set(record.source.table, target);
    return target;
  }

  /** For those who name keys without a table. */
  async only(signal: AbortSignal): Promise<Pick<Target, 'table' | 'keyNames'>> {
    const [table, ...more] = this.tables;
    if (table === undefined || more.length > 0)
      throw new SinkFault('halt', 'items can be looked up by key only where a pipeline has one source table');
    const found = await this.#describe(table, signal);
    if (found === undefined) throw new SinkFault('halt', `table ${table} is missing in ${this.#place()}`, { heals: true });
    return { table, keyNames: keyNamesOf(found) };
  }

  async #prepare(record: ChangeRecord, signal: AbortSignal): Promise<Target> {
    const { options, rulesBetween } = this.#parts;
    const { source } = record;
    const table = this.#nameFor(source.table);
    const found = (await this.#describe(table, signal)) ?? (await this.#create(table, record, signal));
    if (found.TableStatus === 'CREATING') throw new SinkFault('retry', `table ${table} is being made`, { retryAfterMs: NOT_READY_MS });
    if (found.LatestStreamArn !== undefined && found.LatestStreamArn === source.streamArn) throw sameTable(source.table);
    checkKeys(found, record);
    const region = options.region ?? found.TableArn.split(':')[3] ?? '';
    // Two tables of one region are told apart by their own names too: the greater name decides between two writers, so they must differ.
    const [from, to] = source.region === region ? [`${region}/${source.table}`, `${region}/${table}`] : [source.region, region];
    return { table, keyNames: source.keyNames, rules: rulesBetween(from, to) };
  }

  async #describe(table: string, signal: AbortSignal): Promise<TableDescription | undefined> {
    try {
      return (await this.#parts.api.call('DescribeTable', { TableName: table }, signal)).Table;
    } catch (error) {
      if (!(error instanceof ServiceFault)) throw error;
      if (error.class === 'missing') return undefined;
      throw error.class === 'denied' ? haltOf(error, { action: 'DescribeTable', table }) : error;
    }
  }

  async #create(table: string, record: ChangeRecord, signal: AbortSignal): Promise<TableDescription> {
    if (!this.#parts.options.createTable) {
      throw new SinkFault('halt', `table ${table} is missing in ${this.#place()}. Create it, or say createTable: true`, { heals: true });
    }
    const { keyNames } = record.source;
    const request = {
      TableName: table,
      KeySchema: keyNames.map((name, i) => ({ AttributeName: name, KeyType: i === 0 ? ('HASH' as const) : ('RANGE' as const) })),
      AttributeDefinitions: keyNames.map(name => ({ AttributeName: name, AttributeType: keyType(record, name) })),
      BillingMode: 'PAY_PER_REQUEST' as const,
    };
    try {
      await this.#parts.api.call('CreateTable', request, signal);
    } catch (error) {
      // Another worker was first.
      if (!(error instanceof ServiceFault && error.name === 'ResourceInUseException')) {
        throw error instanceof ServiceFault && error.class === 'denied' ? haltOf(error, { action: 'CreateTable', table }) : error;
      }
    }
    this.#parts.host.log.info({ table }, 'replica table made');
    const made = await this.#describe(table, signal);
    if (made === undefined) throw new SinkFault('retry', `table ${table} is being made`, { retryAfterMs: NOT_READY_MS });
    return made;
  }

  #nameFor(sourceTable: string): string {
    return this.#parts.options.table.replaceAll('{table}', sourceTable);
  }

  #place(): string {
    return this.#parts.options.region ?? 'the region of this sink';
  }
}

function sameTable(source: string): SinkFault {
  return new SinkFault(
    'halt',
    `the replica is the source table ${source} itself: each write would come back as a change. Name another table`,
  );
}

function keyNamesOf({ KeySchema }: TableDescription): KeyNames {
  const nameOf = (type: 'HASH' | 'RANGE') => KeySchema.find(each => each.KeyType === type)?.AttributeName;
  const [hashName, rangeName] = [nameOf('HASH') ?? '', nameOf('RANGE')];
  return rangeName === undefined ? [hashName] : [hashName, rangeName];
}

function checkKeys(found: TableDescription, record: ChangeRecord): void {
  const types = new Map(found.AttributeDefinitions.map(each => [each.AttributeName, each.AttributeType]));
  const text = (names: readonly string[], typeOf: (name: string) => string | undefined) =>
    names.map(name => `${name} (${typeOf(name) ?? '?'})`).join(', ');
  const [is, wanted] = [text(keyNamesOf(found), name => types.get(name)), text(record.source.keyNames, name => keyType(record, name))];
  if (is === wanted) return;
  throw new SinkFault(
    'halt',
    `the key of table ${found.TableName} is ${is}, that of its source ${record.source.table} is ${wanted}. Create the replica with the key of the source`,
    { heals: true },
  );
}

function keyType(record: ChangeRecord, name: string): 'S' | 'N' | 'B' {
  const value = record.keys[name];
  if (value !== undefined && 'S' in value) return 'S';
  return value !== undefined && 'N' in value ? 'N' : 'B';
}
