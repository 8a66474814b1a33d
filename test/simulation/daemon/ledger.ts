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

  /** Whether it came for the first time. */
  land(change: Change, at: Ms, life: number): boolean {
    const before = this.landed.get(change.token);
    if (before === undefined) this.landed.set(change.token, { at, life, times: 1 });
    else before.times += 1;
    this.state.set(change.key, change);
    if ((this.newest.get(change.key)?.n ?? -1) < change.n) this.newest.set(change.key, change);
    return before === undefined;
  }
}
