/** Which sinks have begun which streams of a table, disabled, removed and renamed ones too: to whom something belongs that is lost. */
import { byMaking, type SeenStream } from '../model/stream-arn.ts';
import type { SinkName } from '../model/units.ts';
import type { ControlStore, SinkStart } from '../ports/control-store.ts';
import { type PlacedSink, positionKey } from '../shards/sink-positions.ts';
import type { PipelinePlan } from './daemon-plan.ts';

/** Names of all sinks that had begun a stream of the table or an older one, disabled and removed ones too; a renamed one by its new name. */
export async function begunBy(
  { control, plan, stream }: { control: ControlStore; plan: PipelinePlan; stream: SeenStream },
  signal: AbortSignal,
): Promise<readonly SinkName[]> {
  const all = await control.sinkStarts(plan.name, signal);
  const configured = new Set(plan.sinks.map(({ name }) => name));
  const renamed = new Map<SinkName, SinkName>();
  for (const { sink, formerly } of all) if (formerly !== undefined && formerly !== sink) renamed.set(formerly, sink);
  for (const { name, renamedFrom } of plan.sinks) if (renamedFrom !== undefined) renamed.set(renamedFrom, name);
  const begun = all.filter(start => isOfTable(start, plan) && (start.streamArn === stream.arn || isOlder(start, stream)));
  return [...new Set(begun.map(({ sink }) => (configured.has(sink) ? sink : (renamed.get(sink) ?? sink))))];
}

/** Whether an enabled sink comes to this stream from an older one, and has not begun a newer one either: what it finds there, or has lost of it, is its own. */
export function isAwaited(stream: SeenStream, { plan, starts }: { plan: PipelinePlan; starts: readonly SinkStart[] }): boolean {
  return plan.sinks.some(({ name, renamedFrom, enabled }) => {
    const known = starts.filter(start => isOfTable(start, plan) && (start.sink === name || start.sink === renamedFrom));
    return enabled && known.length > 0 && known.every(start => start.streamArn !== stream.arn && isOlder(start, stream));
  });
}

export function isOlder({ streamArn, takenAt }: SinkStart, stream: SeenStream): boolean {
  return byMaking({ arn: streamArn, firstSeenAt: takenAt }, stream) < 0;
}

export function isOfTable({ streamArn }: SinkStart, { source }: PipelinePlan): boolean {
  return streamArn.includes(`:table/${source.table}/`);
}

/** All sinks that have begun in a stream, disabled and removed ones too; not the former name of one that has begun under its new one. */
export async function placedSinks(
  { control, plan, arn }: { control: ControlStore; plan: PipelinePlan; arn: string },
  signal: AbortSignal,
): Promise<readonly PlacedSink[]> {
  const starts = (await control.sinkStarts(plan.name, signal)).filter(start => start.streamArn === arn);
  const renamed = new Set(starts.map(({ formerly }) => formerly));
  const configured = new Set(plan.sinks.map(({ name }) => name));
  return starts.filter(({ sink }) => !renamed.has(sink) || configured.has(sink)).map(start => placedSink(plan.name, start, start.formerly));
}

export function placedSink(pipeline: string, start: SinkStart, renamedFrom: SinkName | undefined): PlacedSink {
  const formerKey = renamedFrom === undefined ? undefined : positionKey(pipeline, renamedFrom);
  return { name: start.sink, key: positionKey(pipeline, start.sink), formerKey, start };
}
