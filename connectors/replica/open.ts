/**
 * Puts the sink together from the options. The rules may be exchanged: the tests weaken one of them and must see the replica go wrong.
 */
import { type Batch, type Host, type Sink, SinkFault } from '../../src/connector.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import { mirrorRules } from '../../src/replication/mirror-rules.ts';
import { versionRules } from '../../src/replication/version-rules.ts';
import type { Rules } from '../../src/replication/versions.ts';
import { boundedTable } from './bounded-table.ts';
import { DeleteAgain } from './delete-again.ts';
import { FastPuts } from './fast-puts.ts';
import { guardedWriter } from './guarded-writer.ts';
import { GuardedWrites } from './guarded-writes.ts';
import { checkViewType } from './judge.ts';
import { LatePuts } from './late-puts.ts';
import { lookUp } from './lookup.ts';
import { awsOptions, type Options } from './options.ts';
import { plainWriter } from './plain-writer.ts';
import { batchWrite } from './replica-sink.ts';
import { Targets } from './targets.ts';
import { TombstoneTable } from './tombstone-table.ts';
import type { Writer } from './work.ts';
import { WrittenImages } from './written-images.ts';

/** Of the sink as a whole; each shard's batches draw on it. */
const REQUESTS_IN_FLIGHT = 64;

export type Adapt = (rules: Rules) => Rules;

export async function openReplica(options: Options, host: Host, adapt: Adapt = rules => rules): Promise<Sink> {
  const api = boundedTable(host.table(awsOptions(options)), REQUESTS_IN_FLIGHT);
  const targets = new Targets({ options, host, api, rulesBetween: (from, to) => adapt(rulesOf(options, host.writer, { from, to })) });
  await targets.open(host.signal);
  const guarded = options.writes === 'conditional' ? await openGuarded(options, host, { api, targets, adapt }) : undefined;
  const prepare = async (batch: Batch, signal: AbortSignal) => {
    for (const record of batch.records) checkViewType(record, options);
    await guarded?.prepare(batch, signal);
  };
  return {
    write: batchWrite({ options, host, targets, writer: guarded?.writer ?? plainWriter(api), prepare, metOurs: warnOfTheOtherWay(host) }),
    lookup: async (keys, signal) => {
      const { table, keyNames } = await targets.only(signal);
      const { unmarked } = rulesOf(options, host.writer, { from: '', to: '' });
      return lookUp(keys, { api, table, keyNames, unmarked }, signal);
    },
    close: async () => guarded?.close(),
  };
}

/** Once per sink. What we write is never shipped back; what we remove looks like the application's removal, which the README explains. */
function warnOfTheOtherWay({ log }: Host): (record: ChangeRecord) => void {
  let isTold = false;
  return ({ source }) => {
    if (isTold) return;
    isTold = true;
    log.warn(
      { table: source.table },
      'another replica pipeline writes this source table: its puts are known and not shipped on, its removals are not (two-way replication is not built yet)',
    );
  };
}

interface Guarded {
  readonly writer: Writer;
  prepare(batch: Batch, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

interface Shared {
  readonly api: ReturnType<typeof boundedTable>;
  readonly targets: Targets;
  readonly adapt: Adapt;
}

async function openGuarded(options: Options, host: Host, { api, targets, adapt }: Shared): Promise<Guarded> {
  const { clock, log, writer } = host;
  const { stampAttribute } = options;
  const latePuts = new LatePuts(clock);
  const images = new WrittenImages();
  const removals = options.deletes === 'apply' ? await openRemovals(options, host, { api, targets, adapt }) : undefined;
  const single = new GuardedWrites({
    api,
    host,
    stampAttribute,
    shared: options.mode === 'version',
    tombstones: removals?.tombstones,
    latePuts,
    images,
    again: row => removals?.chore.note(row),
  });
  const decide: GuardedWrites['write'] = (work, signal) => single.write(work, signal);
  const fast = options.mode === 'mirror' ? new FastPuts({ api, log, writer, stampAttribute, latePuts, images, decide }) : undefined;
  return {
    writer: guardedWriter({ single, fast }),
    prepare: async (batch, signal) => {
      await removals?.tombstones.ready(signal);
      for (const { source } of batch.records) {
        if (latePuts.began(source.partition) && batch.replayedBefore > 0) removals?.chore.tookOver();
      }
    },
    close: async () => removals?.chore.close(),
  };
}

async function openRemovals(options: Options, host: Host, { api, targets, adapt }: Shared) {
  const { clock, log, writer } = host;
  const table = options.tombstoneTable ?? `${writer.split('/')[0]}-tombstones`;
  if (targets.tables.includes(table)) throw new SinkFault('halt', `tombstoneTable ${table} is the replica itself: name another`);
  const tombstones = new TombstoneTable({ table, days: options.tombstoneDays, api, clock, log });
  await tombstones.open(host.signal);
  const { removeAgainIf } = adapt(rulesOf(options, writer, { from: '', to: '' }));
  const chore = new DeleteAgain({ api, clock, log, tombstoneTable: table, tables: targets.tables, removeAgainIf });
  chore.start();
  return { tombstones, chore };
}

function rulesOf(options: Options, writer: string, regions: { readonly from: string; readonly to: string }): Rules {
  const { stampAttribute, versionAttribute: name, versionKind: kind, versionMissing: missing, maxAheadSeconds } = options;
  if (options.mode === 'version') return versionRules({ attribute: { name, kind, missing, maxAheadSeconds }, stampAttribute, ...regions });
  // Plain batches carry items as they are: no item has an attribute without a name.
  return mirrorRules({ writer, stampAttribute: options.writes === 'batch' ? '' : stampAttribute });
}
