/** What has become durable in one target: which records, how often, and in which order the changes of a key came. */
import type { Key } from '../../../src/model/key.ts';
import type { Token } from '../../../src/model/position.ts';
import type { Ms } from '../../../src/model/units.ts';
import type { Change } from './truth.ts';

export interface Landing {
  /** First. */
  readonly at: Ms;
  readonly life: number;
  times: number;
}

export class Ledger {
  readonly landed = new Map<Token, Landing>();
  /** The newest change of a key that ever came, and the one that stands. */
  readonly newest = new Map<Key, Change>();
  readonly state = new Map<Key, Change>();

  readonly #stateOf = new Map<Key, number>();

  /** Whether it came for the first time. A loose write that comes after a newer one of another process is refused by a target that can. */
  land(change: Change, { at, life, isLoose }: { at: Ms; life: number; isLoose: boolean }): boolean {
    const before = this.landed.get(change.token);
    if (before === undefined) this.landed.set(change.token, { at, life, times: 1 });
    else before.times += 1;
    const stands = this.state.get(change.key);
    if (stands === undefined || stands.n < change.n || !isLoose || this.#stateOf.get(change.key) === life) {
      this.state.set(change.key, change);
      this.#stateOf.set(change.key, life);
    }
    if ((this.newest.get(change.key)?.n ?? -1) < change.n) this.newest.set(change.key, change);
    return before === undefined;
  }
}
