/**
 * Law 2: a target that keeps order is given the records of a key for the first time in the order in which they were made, over all shards and lives, and
 * never has two writes of a key under way. A target of whole shards has one write of a shard under way, and its records in order. What a target that
 * coalesces holds in the end is the last record of each key (completeness.ts looks at that).
 */
import { nameOf, numberOf, type Scene, startOf } from '../scene.ts';
import type { Target, Write } from '../target.ts';
import type { Change } from '../truth.ts';
import { isItsOwn } from './standing.ts';

export class OrderCheck {
  readonly #scene: Scene;
  readonly #underWay = new Map<string, Write>();
  readonly #newestOfShard = new Map<string, number>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** A write begins; the returned function ends it. */
  begins(target: Target, write: Write): () => void {
    if (!target.isOrdered) return () => {};
    const { records, life } = write;
    const held = new Set(records.map(record => `${target.sketch.id} ${record.key}`));
    if (target.sketch.traits.order === 'partition') for (const { source } of records) held.add(`${target.sketch.id} ${source.partition}`);
    for (const key of held) {
      const other = this.#underWay.get(key);
      if (other !== undefined && (other.life === life || !other.isLoose()))
        this.#scene.history.breaks('law 2', `two writes of ${key} are under way at once`);
      this.#underWay.set(key, write);
    }
    return () => {
      for (const key of held) if (this.#underWay.get(key) === write) this.#underWay.delete(key);
    };
  }

  /**
   * Of a change that lands for the first time, before it is entered in the ledger. What was made before a tip is not the sink's own: some of it may be
   * given when the tip is opened again.
   */
  first(target: Target, change: Change): void {
    if (!target.isOrdered || target.coalesces) return;
    const start = startOf(this.#scene, target, change.stream);
    if (start !== undefined && !isItsOwn(this.#scene, target, { start, change })) return;
    const newest = target.ledger.newest.get(change.key);
    if (newest !== undefined && newest.n > change.n) {
      this.#scene.history.breaks(
        'law 2',
        `${target.name} got ${numberOf(change.token)} of key ${change.key} after ${numberOf(newest.token)}`,
      );
    }
    if (target.sketch.traits.order !== 'partition') return;
    const id = `${target.sketch.id} ${change.shard.id}`;
    const before = this.#newestOfShard.get(id) ?? -1;
    if (before > change.ordinal) {
      this.#scene.history.breaks('law 2', `${target.name} got record ${change.ordinal} of ${nameOf(change.shard.id)} after ${before}`);
    }
    this.#newestOfShard.set(id, Math.max(before, change.ordinal));
  }
}
