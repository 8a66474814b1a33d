/** Looks over a lease table's shoulder: who writes what, how often each row is taken, and that no position in it is ever lowered. */
import { comparePositions, type Position } from '../../src/model/position.ts';
import { type LeaseChange, type LeaseKey, partsOfLeaseKey } from '../../src/ports/lease-store.ts';
import type { FakeLeaseStore } from './fake-lease-store.ts';

export interface LeaseWrite {
  readonly key: LeaseKey;
  /** Whoever asked for it: the owner that it saw in the row, or the one that takes it. */
  readonly by: string | undefined;
  readonly change: LeaseChange;
}

export class LeaseWatch {
  /** Asked for, whether or not they held. */
  readonly writes: LeaseWrite[] = [];
  /** By row: how often it was taken. */
  readonly takes = new Map<LeaseKey, number>();
  readonly lowered: string[] = [];
  readonly #positions = new Map<LeaseKey, ReadonlyMap<string, Position>>();

  constructor(store: FakeLeaseStore) {
    const write = store.write.bind(store);
    store.write = async (seen, change, signal) => {
      this.writes.push({ key: seen.key, by: change.nonce === undefined ? seen.owner : (change.owner ?? undefined), change });
      const answer = await write(seen, change, signal).finally(() => this.#look(seen.key, store.rows.get(seen.key)?.positions));
      if (answer.is === 'written' && change.nonce !== undefined) this.takes.set(seen.key, (this.takes.get(seen.key) ?? 0) + 1);
      return answer;
    };
  }

  /** Saves of positions that a worker asked for. */
  savesBy(worker: string): readonly LeaseWrite[] {
    return this.writes.filter(({ by, change }) => by === worker && change.positions !== undefined);
  }

  #look(key: LeaseKey, positions: ReadonlyMap<string, Position> = new Map()): void {
    for (const [sink, before] of this.#positions.get(key) ?? []) {
      const now = positions.get(sink);
      if (now !== undefined && comparePositions(now, before) >= 0) continue;
      this.lowered.push(`${sink} at ${partsOfLeaseKey(key).shardId}: ${JSON.stringify(before)} -> ${JSON.stringify(now)}`);
    }
    this.#positions.set(key, positions);
  }
}
