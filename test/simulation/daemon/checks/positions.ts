/**
 * Law 1: at the moment a position is saved, every record up to it is durable in the target, or a newer one of its key where it coalesces, or in a durable
 * gap, or was never the sink's own. And: a position is never lowered, and an end is only of a shard that has ended. A record that was trimmed by then and
 * is in no gap was lost in silence: law 8.
 */
import { comparePositions, type Position } from '../../../../src/model/position.ts';
import { type LeaseRow, partsOfLeaseKey } from '../../../../src/ports/lease-store.ts';
import { DAY_MS, nameOf, numberOf, PIPELINE, type Scene } from '../scene.ts';
import type { Target } from '../target.ts';
import { standing } from './standing.ts';

export class PositionsCheck {
  readonly #scene: Scene;
  /** How many changes of a shard are known to be finished, by target and shard. */
  readonly #verified = new Map<string, number>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** Of the row as it was and as it is from now on. */
  saved(row: LeaseRow, before: LeaseRow | undefined): void {
    for (const target of this.#scene.targets) {
      for (const name of target.names) {
        const key = `${PIPELINE}/${name}`;
        const position = row.positions.get(key);
        const was = before?.positions.get(key);
        if (position === undefined || position === was) continue;
        this.#scene.history.say(`saved ${name} at ${nameOf(row.key)} ${textOf(position)}`);
        if (was !== undefined && comparePositions(position, was) < 0) {
          this.#scene.history.breaks('law 1', `${name} at ${nameOf(row.key)} went back from ${textOf(was)} to ${textOf(position)}`);
        }
        this.#verify(target, row, position);
      }
    }
  }

  #verify(target: Target, row: LeaseRow, position: Position): void {
    const { streams, truth, history } = this.#scene;
    const { streamArn, shardId } = partsOfLeaseKey(row.key);
    const shard = streams.streams.get(streamArn)?.shards.get(shardId);
    if (shard === undefined) return;
    if (position.at === 'end' && shard.closedAt === undefined) {
      history.breaks('law 1', `${target.name} ended ${nameOf(shardId)}, which is still written to`);
    }
    const changes = truth.of(shard);
    const upTo = position.at === 'end' ? changes.length : position.at === 'after' ? truth.at(position.token).ordinal + 1 : 0;
    const id = `${target.sketch.id} ${shardId}`;
    for (let at = this.#verified.get(id) ?? 0; at < upTo; at++) {
      const change = changes[at];
      if (change === undefined || standing(this.#scene, target, change) !== 'missing') continue;
      // Nobody can read it any more: what is missing is its gap.
      const isLost = streams.now() - change.writtenAt >= DAY_MS;
      history.breaks(
        isLost ? 'law 8' : 'law 1',
        `${target.name} saved ${textOf(position)} at ${nameOf(shardId)}, and record ${numberOf(change.token)} is ${isLost ? 'lost without a gap' : 'not finished'}`,
      );
      return;
    }
    this.#verified.set(id, Math.max(upTo, this.#verified.get(id) ?? 0));
  }
}

const textOf = (position: Position): string => ('token' in position ? `${position.at} ${numberOf(position.token)}` : position.at);
