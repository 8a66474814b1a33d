/**
 * Where each sink begins in a stream. A sink without positions starts where it says itself, else where the source says at the pipeline's first start,
 * else at the oldest record still held; a stream that replaced another is read from its start by every sink that had begun the one before. It is
 * written down once, before the first position, with a time that lies after the tips that were asked for, and never decided again. One log line per sink says where it
 * starts, why, and how many hours that covers.
 */
import { isoTime } from '../model/iso-time.ts';
import { madeAt } from '../model/stream-arn.ts';
import type { EpochMs, SinkName } from '../model/units.ts';
import type { OpenSink } from '../pipeline/open-sink.ts';
import type { ControlStore, SinkStart, StartingPosition } from '../ports/control-store.ts';
import type { Log } from '../ports/log.ts';
import type { StreamApi, StreamDescription } from '../ports/stream-api.ts';
import { OPENING_MS, RETENTION_MS } from '../shards/gap-scope.ts';
import { leavesOf, rootsOf } from '../shards/row-plan.ts';
import { shardBeganAt } from '../shards/shard-id.ts';
import type { SinkPositions } from '../shards/sink-positions.ts';
import { isOfTable, isOlder } from './begun-sinks.ts';
import type { PipelinePlan, SinkPlan } from './daemon-plan.ts';
import { type FirstTips, firstTips } from './first-tips.ts';
import type { GapBook } from './gap-book.ts';
import { type Persistence, persist } from './persist.ts';
import { SourceTrouble } from './source-table.ts';

export interface StartsAsked extends Omit<Persistence, 'what'> {
  readonly plan: PipelinePlan;
  readonly description: StreamDescription;
  /** Nothing of this pipeline was ever read. */
  readonly firstStart: boolean;
  readonly control: ControlStore;
  readonly streams: StreamApi;
  readonly gaps: GapBook;
  readonly sinks: ReadonlyMap<SinkName, OpenSink>;
}

export interface Starts {
  readonly bySink: ReadonlyMap<SinkName, SinkStart>;
  /** Where some sink begins at the tip: those whose time this process has saved, if it was the first to. */
  readonly tips: FirstTips | undefined;
  /** Sinks that began just now, which was said. */
  readonly begun: ReadonlySet<SinkName>;
}

export async function sinkStarts(asked: StartsAsked, signal: AbortSignal): Promise<Starts> {
  const { plan, description, control } = asked;
  const insist = { ...asked, what: 'the control table, to see where sinks begin' };
  const standing = await persist(() => control.sinkStarts(plan.name, signal), insist, signal);
  const tips = await tipsFor(standing, asked, signal);
  const bySink = new Map<SinkName, SinkStart>();
  const begun = new Set<SinkName>();
  for (const sink of plan.sinks.filter(({ enabled }) => enabled)) {
    const known = standing.filter(start => start.sink === sink.name || start.sink === sink.renamedFrom);
    const here = known.filter(start => start.streamArn === description.arn);
    const own = here.find(start => start.sink === sink.name);
    if (own !== undefined && here.some(start => start !== own && start.sink !== own.formerly)) throw usedBefore(sink);
    const wanted = here[0]
      ? { ...here[0], sink: sink.name, formerly: here[0].sink }
      : begins(sink, { hasBegunBefore: known.length > 0, tips }, asked);
    const before = here.length > 0 ? [] : known.filter(start => isOfTable(start, plan));
    if (before.length > 0) await keepMissed(sink.name, Math.min(...before.map(({ takenAt }) => takenAt)), asked);
    const { start, created } = own
      ? { start: own, created: false }
      : await persist(() => control.createSinkStart(wanted, signal), insist, signal);
    bySink.set(sink.name, start);
    if (!created || here.length > 0) continue;
    begun.add(sink.name);
    announce(start, known.length > 0, { sink, asked });
  }
  return { bySink, tips, begun };
}

/** Its own positions are older than those of its former name, or another sink's: with either of them something would come again, or never. */
function usedBefore({ name, renamedFrom }: SinkPlan): SourceTrouble {
  return new SourceTrouble(
    `sink ${name} cannot go on where ${renamedFrom} was, for its name had been in use before; give it a name that no sink has had, or leave out renamedFrom`,
  );
}

/** A sink that comes from an older stream to one that has stood for longer than it holds its records has missed the oldest of these. */
async function keepMissed(sink: SinkName, firstBegan: EpochMs, asked: StartsAsked): Promise<void> {
  const { arn, servedAt } = asked.description;
  const made = madeAt(arn);
  if (made === undefined || servedAt - made <= RETENTION_MS || servedAt - firstBegan <= OPENING_MS) return;
  const note = `sink ${sink} comes to stream ${arn} a day after it was made: what was written to it before ${isoTime(servedAt - RETENTION_MS, 0)}, if anything, was trimmed`;
  await asked.gaps.lose({ streamArn: arn, sinks: [sink], gap: { reason: 'trimmed', at: servedAt, note } }, asked);
}

/**
 * Of a stream that is gone before it was listed here: where its sinks had begun. What they have not read of it is lost, and its rows say what. A sink that had
 * begun an older stream, and not this one, has lost all of it.
 */
export async function keptStarts(asked: Omit<StartsAsked, 'description'> & { readonly arn: string }, signal: AbortSignal): Promise<Starts> {
  const { plan, control, gaps, clock, arn } = asked;
  const insist = { ...asked, what: 'the control table, to see where sinks began' };
  const standing = await persist(() => control.sinkStarts(plan.name, signal), insist, signal);
  const stream = { arn, firstSeenAt: clock.now() };
  const bySink = new Map<SinkName, SinkStart>();
  const lost: SinkName[] = [];
  for (const { name, renamedFrom } of plan.sinks.filter(({ enabled }) => enabled)) {
    const known = standing.filter(({ sink }) => sink === name || sink === renamedFrom);
    const here = known.filter(({ streamArn }) => streamArn === arn);
    const own = here.find(({ sink }) => sink === name) ?? here[0];
    if (own !== undefined) bySink.set(name, { ...own, sink: name });
    else if (known.some(start => isOfTable(start, plan) && isOlder(start, stream))) lost.push(name);
  }
  const note = `stream ${arn} went before anything of it was read for ${lost.join(', ')}`;
  await gaps.lose({ streamArn: arn, sinks: lost, gap: { reason: 'shard-gone', at: clock.now(), note } }, asked);
  return { bySink, tips: undefined, begun: new Set() };
}

/** Before anything is written down, where a sink is to begin at the tip. */
function tipsFor(standing: readonly SinkStart[], asked: StartsAsked, signal: AbortSignal): Promise<FirstTips> | undefined {
  const { plan, description, firstStart } = asked;
  const isNew = ({ name, renamedFrom }: SinkPlan) => !standing.some(({ sink }) => sink === name || sink === renamedFrom);
  const atTip = plan.sinks
    .filter(sink => sink.enabled && isNew(sink))
    .some(sink => startingPosition(sink, { plan, firstStart, hasBegunBefore: false }) === 'LATEST');
  return atTip ? firstTips({ ...asked, shardIds: leavesOf(description.shards) }, signal) : undefined;
}

function begins(
  sink: SinkPlan,
  { hasBegunBefore, tips }: { hasBegunBefore: boolean; tips: FirstTips | undefined },
  { plan, description, firstStart }: StartsAsked,
): SinkStart {
  const position = startingPosition(sink, { plan, firstStart, hasBegunBefore });
  return {
    pipeline: plan.name,
    sink: sink.name,
    streamArn: description.arn,
    position,
    takenAt: position === 'LATEST' && tips !== undefined ? tips.takenAt : description.servedAt,
    frontier: hasBegunBefore ? [] : position === 'LATEST' ? leavesOf(description.shards) : rootsOf(description.shards),
  };
}

function startingPosition(
  sink: SinkPlan,
  { plan, firstStart, hasBegunBefore }: { plan: PipelinePlan; firstStart: boolean; hasBegunBefore: boolean },
): StartingPosition {
  if (hasBegunBefore) return 'TRIM_HORIZON';
  return sink.startingPosition ?? (firstStart ? plan.source.startingPosition : 'TRIM_HORIZON');
}

function announce(start: SinkStart, hasBegunBefore: boolean, { sink, asked }: { sink: SinkPlan; asked: StartsAsked }): void {
  const why = hasBegunBefore
    ? 'a new stream, and it had begun the one before'
    : sink.startingPosition !== undefined
      ? 'its own startingPosition'
      : asked.firstStart
        ? "the source's startingPosition, at the pipeline's first start"
        : 'it came later and says nothing else';
  const hours = start.position === 'LATEST' ? 0 : hoursHeld(asked.description);
  asked.log.info({ sink: sink.name, hours }, `the sink starts at ${start.position}: ${why}; that covers ${hours} h of changes`);
}

/** One line for each sink that has been here before. */
export function sayWhereSinksGoOn(
  positions: SinkPositions,
  { log, begun, now }: { log: Log; begun: ReadonlySet<SinkName>; now: EpochMs },
): void {
  for (const sink of positions.sinks.filter(({ name }) => !begun.has(name))) {
    const saved = [...positions.rows.values()].map(row => positions.saved(row, sink)).filter(position => position !== undefined);
    const oldest = Math.min(now, ...saved.map(position => (position.at === 'after' ? position.changedAt : now)));
    const behind = hours(now - (saved.length === 0 ? sink.start.takenAt : oldest));
    const from = saved.length === 0 ? `${sink.start.position}, as it began: nothing was saved yet` : 'its saved positions';
    log.info({ sink: sink.name, hours: behind }, `the sink goes on from ${from}; that is ${behind} h back`);
  }
}

/** How far back the listed shards go, by their ids; a day where these do not say. */
function hoursHeld({ shards, servedAt }: StreamDescription): number {
  const began = shards.map(({ shardId }) => shardBeganAt(shardId));
  if (began.some(at => at === undefined)) return 24;
  const oldest = Math.min(servedAt, ...began.filter((at): at is EpochMs => at !== undefined));
  return hours(Math.min(24 * 3_600_000, servedAt - oldest));
}

function hours(ms: number): number {
  return Math.round(Math.max(0, ms) / 360_000) / 10;
}
