/**
 * Law 5: a process has at most two readings of a shard at a time. A reading is what follows one chain of iterators, from its first read to its last: a
 * chain that is read from again lived all the while. What healed an iterator began a new chain, and the old one is never read from again.
 */
import { nameOf, type Scene } from '../scene.ts';

interface Chain {
  readonly from: number;
  to: number;
}

/** Of one process. */
export class ReadingsCheck {
  readonly #scene: Scene;
  #shards = new Map<string, Map<number, Chain>>();
  #reads = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  read(iterator: string): void {
    const { shardId, chain } = JSON.parse(iterator) as { shardId: string; chain: number };
    this.#reads += 1;
    const chains = this.#shards.get(shardId) ?? new Map<number, Chain>();
    this.#shards.set(shardId, chains);
    const known = chains.get(chain);
    if (known === undefined) chains.set(chain, { from: this.#reads, to: this.#reads });
    else known.to = this.#reads;
  }

  /** The process is no more: counts what it had open at a time. */
  over(): void {
    for (const [shardId, chains] of this.#shards) {
      const most = mostAtOnce([...chains.values()]);
      if (most > 2) this.#scene.history.breaks('law 5', `${most} readings of ${nameOf(shardId)} at a time`);
    }
    this.#shards = new Map();
  }
}

function mostAtOnce(chains: readonly Chain[]): number {
  const changes = chains.flatMap(({ from, to }) => [
    { at: from, by: 1 },
    { at: to + 0.5, by: -1 },
  ]);
  let [open, most] = [0, 0];
  for (const { by } of changes.sort((a, b) => a.at - b.at)) {
    open += by;
    most = Math.max(most, open);
  }
  return most;
}
