/** What the checkers look at: what was written, what the stores hold, what has landed. All of it on the machine, none of it in the daemon. */
import type { ChangeRecord } from '../../../src/model/change-record.ts';
import type { Position, Token } from '../../../src/model/position.ts';
import type { EpochMs, Ms } from '../../../src/model/units.ts';
import type { SinkStart } from '../../../src/ports/control-store.ts';
import { leaseKey } from '../../../src/ports/lease-store.ts';
import type { FakeControlStore } from '../../fakes/fake-control-store.ts';
import type { FakeLeaseStore } from '../../fakes/fake-lease-store.ts';
import type { FakeShard, FakeStream } from '../../fakes/fake-stream.ts';
import type { FakeStreams } from '../../fakes/fake-streams.ts';
import type { VirtualClock } from '../../fakes/virtual-clock.ts';
import type { History } from './history.ts';
import type { Target } from './target.ts';
import type { Truth } from './truth.ts';

export const PIPELINE = 'p';
/** Owns rows that it stole, and does nothing with them. */
export const STRANGER = 'stranger';
export const DAY_MS: Ms = 24 * 3_600_000;

export interface Scene {
  readonly clock: VirtualClock;
  readonly streams: FakeStreams;
  readonly leases: FakeLeaseStore;
  readonly control: FakeControlStore;
  readonly truth: Truth;
  readonly history: History;
  readonly targets: readonly Target[];
}

/** By any name that the target has had. */
export function startOf({ control }: Scene, target: Target, stream: FakeStream): SinkStart | undefined {
  for (const name of target.names) {
    const start = control.starts.get(`${PIPELINE}/${name}#${stream.arn}`);
    if (start !== undefined) return start;
  }
  return undefined;
}

/** When the target first began in any stream. */
export function firstBegan({ control }: Scene, target: Target): EpochMs {
  const starts = [...control.starts.values()].filter(({ sink }) => target.names.includes(sink));
  return Math.min(...starts.map(({ takenAt }) => takenAt));
}

export function positionOf({ leases }: Scene, target: Target, stream: FakeStream, shardId: string): Position | undefined {
  const row = leases.rows.get(leaseKey(stream.arn, shardId));
  for (const name of target.names) {
    const position = row?.positions.get(`${PIPELINE}/${name}`);
    if (position !== undefined) return position;
  }
  return undefined;
}

export function streamOf({ streams }: Scene, record: ChangeRecord): FakeStream {
  const stream = streams.streams.get(record.source.streamArn);
  if (stream === undefined) throw new Error(`no stream ${record.source.streamArn}`);
  return stream;
}

/** All shards before this one. */
export function ancestorsOf(stream: FakeStream, shardId: string): readonly FakeShard[] {
  const found: FakeShard[] = [];
  let parent = stream.shards.get(shardId)?.parent;
  while (parent !== undefined) {
    const shard = stream.shard(parent);
    found.push(shard);
    parent = shard.parent;
  }
  return found;
}

/** For people: a record's number without the digits that all have in common. */
export function numberOf(token: Token): string {
  return token.slice(-9).replace(/^0+(?=.)/, '');
}

/** For people: the shard's number in its stream. */
export function nameOf(shardId: string): string {
  return shardId.slice(shardId.lastIndexOf('-') + 1).replace(/^0+(?=.)/, '#');
}
