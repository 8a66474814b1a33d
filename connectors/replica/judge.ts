/**
 * What is to be done with a record, before anything is written: what the options leave out, what the stream's view type cannot tell, and then the rules of
 * the mode.
 */
import { SinkFault } from '../../src/connector.ts';
import { type ChangeRecord, isTtlDelete, type ViewType } from '../../src/model/change-record.ts';
import type { EpochMs } from '../../src/model/units.ts';
import { attributeOf } from '../../src/replication/marker.ts';
import type { Rules } from '../../src/replication/versions.ts';
import type { Judged } from './lanes.ts';
import type { Options } from './options.ts';

export function judged(record: ChangeRecord, rules: Rules, now: EpochMs, options: Options): Judged {
  if (record.kind === 'remove' && leavesOut(record, options)) return { is: 'left-out' };
  return rules.read(record, now);
}

/** View types that carry what the replica is written from. In mode version a removal must tell the version that was removed. */
export function needs(options: Options): readonly ViewType[] {
  return options.mode === 'version' && options.deletes === 'apply' ? ['NEW_AND_OLD_IMAGES'] : ['NEW_IMAGE', 'NEW_AND_OLD_IMAGES'];
}

/** A stream whose view type changed under us halts the sink. */
export function checkViewType({ source }: ChangeRecord, options: Options): void {
  if (source.origin !== 'stream' || needs(options).includes(source.viewType)) return;
  throw new SinkFault(
    'halt',
    `the stream of table ${source.table} has view type ${source.viewType}; a replica in mode ${options.mode} needs ${needs(options).join(' or ')}`,
    { heals: true },
  );
}

function leavesOut(record: ChangeRecord, { deletes, ttlDeletes, ttlAttribute }: Options): boolean {
  if (deletes === 'ignore') return true;
  if (ttlDeletes === 'apply') return false;
  return isTtlDelete(record) || (ttlAttribute !== undefined && hasExpired(record, ttlAttribute));
}

/** Time to live removes an item some time after the second that its attribute names. */
function hasExpired({ before, changedAt }: ChangeRecord, ttlAttribute: string): boolean {
  const value = before && attributeOf(before, ttlAttribute);
  return value !== undefined && 'N' in value && Number(value.N) * 1000 <= changedAt;
}
