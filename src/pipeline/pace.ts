/**
 * Law 4, the deciding part: who is detached, who may come back, who leads, who is served next. Pure. A slow sink does not hold the others up: the
 * fastest feed sets the pace, and the feeds that hold the oldest record are cut off at once when room is short. Bytes are the grace, not time.
 */
import { comparePositions, compareTokens } from '../model/position.ts';
import type { Ms } from '../model/units.ts';
import type { Feed } from './feed.ts';
import type { Reading } from './reading.ts';

/** A feed that was cut off comes back at the earliest after so long: coming and going at once was a storm of detachments. */
export const REJOIN_MS: Ms = 10_000;

/**
 * Feeds to detach when the reading has no room: those that hold the oldest record, if some feed stands at the head. None: all are slow, wait. A paused
 * or halted feed holds room for nothing, so it goes whoever else is slow.
 */
export function toDetach(brisk: readonly Feed[], reading: Reading): readonly Feed[] {
  if (!brisk.some(feed => feed.cursor >= reading.head)) return brisk.filter(feed => feed.run.sink.state !== 'open');
  const oldest = Math.min(...brisk.map(feed => feed.cursor));
  return oldest >= reading.head ? [] : brisk.filter(feed => feed.cursor === oldest);
}

/** The wait after a detachment: 10 s, and half of the open work done. */
export function hasRecovered(feed: Feed, elapsed: Ms): boolean {
  if (feed.run.sink.state !== 'open' || feed.hasRest) return false;
  return elapsed - feed.detachedAt >= REJOIN_MS && feed.run.openBytes <= feed.detachedBytes / 2;
}

/** Whether the main reading still holds everything after a feed's place. */
export function mayRejoin(feed: Feed, reading: Reading, elapsed: Ms): boolean {
  if (!hasRecovered(feed, elapsed)) return false;
  const { place } = feed.run;
  if (reading.lastLetGo !== undefined) return place.at === 'after' && compareTokens(place.token, reading.lastLetGo) >= 0;
  if (reading.openedAt.at !== 'tip') return place.at !== 'tip' && comparePositions(place, reading.openedAt) >= 0;
  const first = reading.at(reading.first);
  return place.at === 'after' && first !== undefined && compareTokens(place.token, first.record.token) >= 0;
}

/** Who opens the main reading: the feeds at the highest place of those that are open. */
export function leaders(feeds: readonly Feed[]): readonly Feed[] {
  const able = feeds.filter(feed => feed.run.sink.state === 'open');
  let highest: Feed | undefined;
  for (const feed of able) if (highest === undefined || comparePositions(feed.run.place, highest.run.place) > 0) highest = feed;
  return highest === undefined ? [] : able.filter(feed => comparePositions(feed.run.place, highest.run.place) === 0);
}

/** Who is served by the second reading next: the feed behind with room that was served longest ago. */
export function nextServed(behind: readonly Feed[]): Feed | undefined {
  let next: Feed | undefined;
  for (const feed of behind) {
    if (feed.hasRest || !feed.run.hasRoom) continue;
    if (next === undefined || feed.servedTurn < next.servedTurn) next = feed;
  }
  return next;
}
