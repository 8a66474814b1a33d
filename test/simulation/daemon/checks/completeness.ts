/**
 * In the end, when everything has healed: every change is durable in every sink that is there, or in a durable gap, or was never its own. What an ordered
 * target holds of each key is its last change. An archive has each record in one file. No gap is written where nothing was lost, and nothing from before
 * a tip is given, but for the minute that local servers cut from times.
 */
import { DAY_MS, nameOf, numberOf, type Scene, startOf } from '../scene.ts';
import type { Target } from '../target.ts';
import { isInGap, isUntold, standing } from './standing.ts';

const CUT_MS = 62_000;

/** What a target still waits for. */
export function firstMissing(scene: Scene, target: Target): string | undefined {
  for (const change of scene.truth.changes) {
    if (standing(scene, target, change) === 'missing' && !isUntold(scene, change))
      return `${numberOf(change.token)} of ${nameOf(change.shard.id)}`;
  }
  const newest = [...scene.streams.streams.values()].at(-1);
  if (newest !== undefined && startOf(scene, target, newest) === undefined) return 'its start';
  return undefined;
}

/** Nothing that is there waits for anything. */
export function isComplete(scene: Scene): boolean {
  return scene.targets.every(target => target.presence !== 'on' || firstMissing(scene, target) === undefined);
}

export function checkCompleteness(scene: Scene): void {
  const oldest = scene.truth.changes[0]?.writtenAt ?? scene.streams.now();
  const mayHaveGaps = scene.truth.mayHaveGaps || scene.streams.now() - oldest > DAY_MS - 60_000;
  for (const target of scene.targets) {
    if (target.presence !== 'on') continue;
    const missing = firstMissing(scene, target);
    if (missing !== undefined) scene.history.breaks('completeness', `${target.name} still waits for ${missing}`);
    if (target.isOrdered) checkState(scene, target);
    checkTip(scene, target);
    if (target.sketch.kind === 'archive' && !mayHaveGaps) checkArchive(scene, target);
  }
  const [gap] = scene.control.gapRows.values();
  if (!mayHaveGaps && gap !== undefined) scene.history.breaks('law 8', `a gap is written, and nothing was lost: ${JSON.stringify(gap)}`);
}

function checkState(scene: Scene, target: Target): void {
  for (const last of scene.truth.lastOfEachKey) {
    const state = target.ledger.state.get(last.key);
    if (state === undefined || state.n === last.n || !target.ledger.landed.has(last.token)) continue;
    // It came, a crash forgot that, and it was trimmed before it could be given again.
    if (isInGap(scene, target, last)) continue;
    scene.history.breaks(
      'law 2',
      `${target.name} holds ${numberOf(state.token)} of key ${last.key}, and the last change is ${numberOf(last.token)}`,
    );
  }
}

function checkTip(scene: Scene, target: Target): void {
  for (const change of scene.truth.changes) {
    const start = startOf(scene, target, change.stream);
    if (start?.position !== 'LATEST' || change.writtenAt >= start.takenAt - CUT_MS || !target.ledger.landed.has(change.token)) continue;
    scene.history.breaks('completeness', `${target.name} got ${numberOf(change.token)}, which is from before its tip`);
  }
}

function checkArchive(scene: Scene, target: Target): void {
  const isWhole = [...scene.streams.streams.values()].every(stream => startOf(scene, target, stream)?.position !== 'LATEST');
  if (!isWhole) return;
  for (const [token, { times }] of target.ledger.landed) {
    if (times > 1) scene.history.breaks('duplicates', `${target.name} is an archive, and has record ${numberOf(token)} ${times} times`);
  }
}
