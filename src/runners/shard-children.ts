/**
 * The children of a shard that has been read to its end: found, and given rows, before any sink's end is saved, so that nothing is ever behind an end
 * without a row that says so. An answer without children is no proof that there are none; only a disabled stream ends its last shards for good, and of
 * a shard that is gone the children may be gone too.
 */
import type { Ms } from '../model/units.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { ShardListing, StreamApi, StreamDescription } from '../ports/stream-api.ts';
import { persist } from './persist.ts';
import type { Turns } from './turns.ts';

export interface ShardChildrenParts {
  readonly streamArn: string;
  readonly streams: StreamApi;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** At most two of these calls a second by this process: full listings share their limit. */
  readonly turns: Turns;
  /** One full listing, shared by all who ask for one at the same time; undefined when the stream is gone. */
  readonly list: (signal: AbortSignal) => Promise<StreamDescription | undefined>;
  /** Whether full listings have shown by now that a shard was trimmed as a whole. */
  readonly isGone: (shardId: string) => boolean;
  /** Makes the children's rows. */
  readonly make: (children: readonly ShardListing[], signal: AbortSignal) => Promise<void>;
}

const QUICK_TRIES = 10;
const QUICK_MS: Ms = 50;
const QUICK_CAP_MS: Ms = 1_000;
const SLOW_MS: Ms = 5_000;
const SLOW_CAP_MS: Ms = 30_000;
const ALARM_MS: Ms = 120_000;

/** The children's ids, whose rows stand when this resolves. Throws when the signal aborts. */
export async function shardChildren(shardId: string, parts: ShardChildrenParts, signal: AbortSignal): Promise<readonly string[]> {
  const { clock, random, log } = parts;
  const since = clock.elapsed();
  let alarmed = false;
  for (let round = 0; ; round++) {
    const found = await lookedFor(shardId, parts, signal);
    if (found !== 'none-yet') {
      if (found.length > 0) await parts.make(found, signal);
      return found.map(child => child.shardId);
    }
    if (!alarmed && clock.elapsed() - since >= ALARM_MS) {
      log.error(
        { shardId },
        'a shard has ended and has no children yet, though its stream is enabled; its lease is kept and it is asked for again',
      );
      alarmed = true;
    }
    await clock.sleep(jittered(Math.min(SLOW_CAP_MS, SLOW_MS * 2 ** round), random), signal);
    signal.throwIfAborted();
  }
}

async function lookedFor(shardId: string, parts: ShardChildrenParts, signal: AbortSignal): Promise<readonly ShardListing[] | 'none-yet'> {
  const { streams, streamArn, clock, random, turns } = parts;
  const insist = { ...parts, what: 'the children of an ended shard' };
  for (let tries = 0; tries < QUICK_TRIES; tries++) {
    const children = await persist(
      async () => {
        await turns.take(signal);
        return streams.children(streamArn, shardId, signal);
      },
      insist,
      signal,
    );
    if (children === 'unsupported') break;
    const own = children.filter(child => child.parentShardId === shardId);
    if (own.length > 0) return own;
    await clock.sleep(jittered(Math.min(QUICK_CAP_MS, QUICK_MS * 2 ** tries), random), signal);
    signal.throwIfAborted();
  }
  const listing = await persist(() => parts.list(signal), insist, signal);
  const children = listing?.shards.filter(shard => shard.parentShardId === shardId) ?? [];
  if (children.length > 0) return children;
  // Children are younger than their parent: where it is gone and they are not listed, they came and went unseen.
  return listing === undefined || listing.status === 'DISABLED' || parts.isGone(shardId) ? [] : 'none-yet';
}

function jittered(ms: Ms, random: Random): Ms {
  return ms * (0.8 + 0.4 * random.next());
}
