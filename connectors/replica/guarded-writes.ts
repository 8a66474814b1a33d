/**
 * Single writes with their conditions. A put that may be old (given again after a restart, scanned, redriven, or of a table that others write too) goes
 * in one transaction with a check of the key's tombstone: looking first and putting then would be a race. A removal raises the tombstone first.
 */
import type { Host } from '../../src/connector.ts';
import type { Item } from '../../src/model/item.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { AGAIN_MS, type Tombstone } from '../../src/replication/tombstone.ts';
import { mayStillLand } from './bounded-table.ts';
import type { LatePuts } from './late-puts.ts';
import { type Attempted, type Outcome, outcomeOf, outcomeOfPut, SUPERSEDED, WRITTEN } from './outcomes.ts';
import type { TombstoneTable } from './tombstone-table.ts';
import type { Work } from './work.ts';
import type { WrittenImages } from './written-images.ts';

export interface GuardedParts {
  readonly api: TableApi;
  readonly host: Pick<Host, 'clock'>;
  readonly stampAttribute: string;
  /** Applications write the replica too. */
  readonly shared: boolean;
  /** Absent where removals are left out. */
  readonly tombstones?: TombstoneTable | undefined;
  readonly latePuts: LatePuts;
  readonly images: WrittenImages;
  /** A removal that is to be done once more. */
  readonly again: (row: Tombstone) => void;
}

export class GuardedWrites {
  readonly #parts: GuardedParts;

  constructor(parts: GuardedParts) {
    this.#parts = parts;
  }

  write(work: Work, signal: AbortSignal): Promise<Outcome> {
    return work.change.reading.is === 'put' ? this.#put(work, signal) : this.#remove(work, signal);
  }

  /** Whether a removal that came later can have overtaken this put. */
  mayBeOld({ change: { record }, replayedBefore }: Work): boolean {
    if (this.#parts.tombstones === undefined) return false;
    return this.#parts.shared || record.source.origin !== 'stream' || record.changedAt < replayedBefore;
  }

  async #put(work: Work, signal: AbortSignal): Promise<Outcome> {
    const { reading } = work.change;
    if (reading.is !== 'put') throw new Error('a removal is no put');
    const { images, latePuts } = this.#parts;
    const item = work.target.rules.marked(reading.image, reading.version);
    try {
      await this.#send(work, item, signal);
      images.wrote(work.place, reading.version.s, reading.image);
      return WRITTEN;
    } catch (error) {
      images.forget(work.place);
      // In a transaction it would meet the tombstone.
      if (mayStillLand(error) && !this.mayBeOld(work)) latePuts.gaveUp(work.place);
      return this.#refusedPut(work, item, error);
    }
  }

  async #send(work: Work, item: Item, signal: AbortSignal): Promise<void> {
    const { api, tombstones } = this.#parts;
    const { version } = work.change.reading;
    const { table, keyNames, rules } = work.target;
    const Put = {
      TableName: table,
      Item: item,
      ...rules.putIf(version, keyNames),
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    };
    if (tombstones === undefined || !this.mayBeOld(work)) await api.call('PutItem', Put, signal);
    else await api.call('TransactWriteItems', { TransactItems: [{ ConditionCheck: tombstones.check(work, version) }, { Put }] }, signal);
  }

  #refusedPut(work: Work, item: Item, error: unknown): Outcome {
    if (!(error instanceof ServiceFault)) return outcomeOf(error, this.#attempted(work));
    const reasons = cancellationReasons(error);
    if (error.class === 'condition') {
      // The first of a transaction is the tombstone's.
      if (reasons && reasons[0]?.Code === 'ConditionalCheckFailed') return SUPERSEDED;
      return this.#standing(work, reasons ? reasons[1]?.Item : (error.answer['Item'] as Item | undefined));
    }
    return outcomeOfPut(error, item, this.#attempted(work));
  }

  #attempted(work: Work): Attempted {
    const { tombstones } = this.#parts;
    const { table } = work.target;
    return tombstones && this.mayBeOld(work)
      ? { action: 'PutItem (and dynamodb:ConditionCheckItem on its tombstones)', table: `${table} or ${tombstones.name}` }
      : { action: 'PutItem', table };
  }

  async #remove(work: Work, signal: AbortSignal): Promise<Outcome> {
    const { tombstones, images, again } = this.#parts;
    if (tombstones === undefined) throw new Error('removals are left out');
    images.forget(work.place);
    let action = 'PutItem';
    let table = tombstones.name;
    try {
      const raised = await tombstones.raise(work, this.#againAt(work), signal);
      if (raised.row?.againAt !== undefined) again(raised.row);
      [action, table] = ['DeleteItem', work.target.table];
      await this.#delete(work, signal);
      return raised.was === 'raised' ? WRITTEN : SUPERSEDED;
    } catch (error) {
      if (error instanceof ServiceFault && error.class === 'condition')
        return this.#standing(work, error.answer['Item'] as Item | undefined);
      return outcomeOf(error, { action, table });
    }
  }

  #againAt(work: Work): number | undefined {
    const { latePuts, host } = this.#parts;
    const late = latePuts.mayCome(work.place, work.change.record.source.partition, work.replayedBefore);
    return late ? host.clock.now() + AGAIN_MS : undefined;
  }

  async #delete({ target, change }: Work, signal: AbortSignal): Promise<void> {
    const condition = target.rules.removeIf(change.reading.version);
    const request = {
      TableName: target.table,
      Key: change.record.keys,
      ...condition,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    };
    await this.#parts.api.call('DeleteItem', request, signal);
  }

  #standing(work: Work, item: Item | undefined): Outcome {
    const { version } = work.change.reading;
    switch (work.target.rules.standing(version, item)) {
      case 'foreign':
        return { is: 'failed', disposition: 'reject', reason: this.#foreignReason(work) };
      case 'rival':
        return { is: 'superseded', conflict: true };
      default:
        return SUPERSEDED;
    }
  }

  #foreignReason({ target }: Work): string {
    const name = JSON.stringify(this.#parts.stampAttribute);
    return `the item in ${target.table} has an attribute ${name} that is not our stamp: choose another name by stampAttribute, or take it out`;
  }
}

function cancellationReasons(error: ServiceFault): readonly { readonly Code?: string; readonly Item?: Item }[] | undefined {
  const reasons = error.answer['CancellationReasons'];
  return Array.isArray(reasons) ? reasons : undefined;
}
