/**
 * What one stream's listings have shown: the shards of the last full one, and which shards are gone for good. One listing may lag; a shard counts as
 * gone when two full listings in a row did not have it.
 */
import type { EpochMs } from '../model/units.ts';
import type { StreamDescription } from '../ports/stream-api.ts';
import { closedShards, parentsListed } from '../shards/lineage.ts';
import { shardBeganAt } from '../shards/shard-id.ts';

export class ShardGraph {
  #last: StreamDescription | undefined;
  #listed: ReadonlySet<string> = new Set();
  #closed: ReadonlySet<string> = new Set();
  #parents: ReadonlyMap<string, readonly string[]> = new Map();
  #before: { readonly listed: ReadonlySet<string>; readonly at: EpochMs } | undefined;
  #streamGone = false;

  get last(): StreamDescription | undefined {
    return this.#last;
  }

  get listed(): ReadonlySet<string> {
    return this.#listed;
  }

  /** The stream is there, and lists nothing yet. */
  get isEmpty(): boolean {
    return !this.isClosed && this.#listed.size === 0;
  }

  /** Surely closed, by the last listing. */
  get closed(): ReadonlySet<string> {
    return this.#closed;
  }

  /** By the last listing. */
  parentsOf(shardId: string): readonly string[] {
    return this.#parents.get(shardId) ?? [];
  }

  /** The stream itself is not there any more. */
  get streamGone(): boolean {
    return this.#streamGone;
  }

  /** Nothing more will be written to it. */
  get isClosed(): boolean {
    return this.#streamGone || this.#last?.status === 'DISABLED';
  }

  /** Undefined: the service does not know the stream any more. */
  look(description: StreamDescription | undefined): void {
    if (description === undefined) {
      this.#streamGone = true;
      return;
    }
    // While it is being enabled a stream lists nothing, and that says nothing.
    if (description.status !== 'ENABLING' && this.#last !== undefined) this.#before = { listed: this.#listed, at: this.#last.servedAt };
    this.#last = description;
    this.#closed = closedShards(description);
    this.#listed = new Set(description.shards.map(shard => shard.shardId));
    this.#parents = parentsListed(description.shards);
  }

  isGone(shardId: string): boolean {
    if (this.#streamGone) return true;
    if (this.#before === undefined || this.#listed.has(shardId) || this.#before.listed.has(shardId)) return false;
    // The listings may be minutes old: what began after them is not missing from them.
    return (shardBeganAt(shardId) ?? Number.NEGATIVE_INFINITY) < this.#before.at;
  }

  /** After the last listing. */
  mayHaveBegunSince(shardId: string): boolean {
    return this.#last !== undefined && (shardBeganAt(shardId) ?? Number.NEGATIVE_INFINITY) >= this.#last.servedAt;
  }

  /** Whether a second look would tell more: some parent is missing, and it is not sure yet that it is gone. */
  needsSecondLook(hasRow: (shardId: string) => boolean): boolean {
    return (this.#last?.shards ?? []).some(({ parentShardId: parent }) => {
      return parent !== undefined && !this.#listed.has(parent) && !hasRow(parent) && !this.isGone(parent);
    });
  }
}
