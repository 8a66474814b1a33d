/**
 * The table of tombstones: made when it is missing, with its time to live switched on, and raised a row at a time, only upwards.
 */
import { SinkFault } from '../../src/connector.ts';
import type { EpochMs } from '../../src/model/units.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Log } from '../../src/ports/log.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { ConditionCheck, TableApi } from '../../src/ports/table-api.ts';
import {
  readTombstone,
  TOMBSTONE_EXPIRES,
  TOMBSTONE_KEY,
  type Tombstone,
  tombstoneKey,
  tombstoneRow,
} from '../../src/replication/tombstone.ts';
import type { Version } from '../../src/replication/versions.ts';
import { haltOf, NOT_READY_MS } from './outcomes.ts';
import type { Work } from './work.ts';

export interface TombstoneParts {
  readonly table: string;
  readonly days: number;
  readonly api: TableApi;
  readonly clock: Clock;
  readonly log: Log;
}

/** `stood`: there was one as high or higher. The row that stands now, where it is known. */
export interface Raised {
  readonly was: 'raised' | 'stood';
  readonly row?: Tombstone | undefined;
}

export class TombstoneTable {
  readonly #parts: TombstoneParts;
  #active = false;

  constructor(parts: TombstoneParts) {
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.table;
  }

  async open(signal: AbortSignal): Promise<void> {
    await this.#look(signal);
  }

  /** A fault when the table cannot be written yet. */
  async ready(signal: AbortSignal): Promise<void> {
    if (!this.#active) await this.#look(signal);
    if (!this.#active) throw new SinkFault('retry', `table ${this.name} is being made`, { retryAfterMs: NOT_READY_MS });
  }

  /** Says that a version of a key was removed, unless a tombstone as high stands there. */
  async raise(work: Work, againAt: EpochMs | undefined, signal: AbortSignal): Promise<Raised> {
    const { rules, table } = work.target;
    const { version } = work.change.reading;
    const { days, clock, api } = this.#parts;
    const place = { key: this.#keyOf(work), table, keys: work.change.record.keys };
    const Item = tombstoneRow(place, rules.tombstoneFields(version), { now: clock.now(), days, againAt });
    try {
      const request = {
        TableName: this.name,
        Item,
        ...rules.tombstoneIf(version),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
      };
      await api.call('PutItem', request, signal);
      return { was: 'raised', row: { ...place, version, againAt } };
    } catch (error) {
      if (!(error instanceof ServiceFault && error.class === 'condition')) throw error;
      const held = error.answer['Item'];
      return { was: 'stood', row: held === undefined ? undefined : readTombstone(held as Tombstone['keys']) };
    }
  }

  /** Goes into one transaction with a put that a later removal may have overtaken. */
  check(work: Work, version: Version): ConditionCheck {
    return { TableName: this.name, Key: { [TOMBSTONE_KEY]: { S: this.#keyOf(work) } }, ...work.target.rules.noTombstoneIf(version) };
  }

  #keyOf({ target, change }: Work): string {
    return tombstoneKey(target.table, change.record.key);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const found = (await this.#describe(signal)) ?? (await this.#create(signal));
    if (found === undefined || found.TableStatus === 'CREATING') return;
    const [key, ...more] = found.KeySchema;
    if (key?.AttributeName !== TOMBSTONE_KEY || more.length > 0) {
      throw new SinkFault(
        'halt',
        `table ${this.name} is not a table of tombstones: its key must be one string ${TOMBSTONE_KEY}. Name another by tombstoneTable`,
        {
          heals: true,
        },
      );
    }
    await this.#expire(signal);
    this.#active = true;
  }

  async #describe(signal: AbortSignal) {
    try {
      return (await this.#parts.api.call('DescribeTable', { TableName: this.name }, signal)).Table;
    } catch (error) {
      if (error instanceof ServiceFault && error.class === 'missing') return undefined;
      throw this.#translated(error, 'DescribeTable');
    }
  }

  async #create(signal: AbortSignal) {
    try {
      const request = {
        TableName: this.name,
        KeySchema: [{ AttributeName: TOMBSTONE_KEY, KeyType: 'HASH' as const }],
        AttributeDefinitions: [{ AttributeName: TOMBSTONE_KEY, AttributeType: 'S' as const }],
        BillingMode: 'PAY_PER_REQUEST' as const,
      };
      await this.#parts.api.call('CreateTable', request, signal);
      this.#parts.log.info({ tombstoneTable: this.name }, 'table of tombstones made');
    } catch (error) {
      // Another worker was first.
      if (!(error instanceof ServiceFault && error.name === 'ResourceInUseException')) throw this.#translated(error, 'CreateTable');
    }
    return this.#describe(signal);
  }

  /** Without it rows stay for ever, which costs storage and nothing else: so a refusal is said and borne. */
  async #expire(signal: AbortSignal): Promise<void> {
    const { api, log } = this.#parts;
    try {
      const { TimeToLiveDescription: now } = await api.call('DescribeTimeToLive', { TableName: this.name }, signal);
      if (now?.TimeToLiveStatus === 'ENABLED' || now?.TimeToLiveStatus === 'ENABLING') return;
      const TimeToLiveSpecification = { Enabled: true as const, AttributeName: TOMBSTONE_EXPIRES };
      await api.call('UpdateTimeToLive', { TableName: this.name, TimeToLiveSpecification }, signal);
    } catch (error) {
      if (!(error instanceof ServiceFault) || (error.class !== 'denied' && error.class !== 'invalid')) throw error;
      log.warn(
        { table: this.name, error: error.name },
        `time to live is not known to be on: switch it on for the attribute ${TOMBSTONE_EXPIRES}`,
      );
    }
  }

  #translated(error: unknown, action: string): unknown {
    return error instanceof ServiceFault && error.class === 'denied' ? haltOf(error, { action, table: this.name }) : error;
  }
}
