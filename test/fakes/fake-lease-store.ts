/** Lease rows in memory, with the conditions of the real store: the contract suite runs against both. */
import type { Position } from '../../src/model/position.ts';
import type { LeaseChange, LeaseKey, LeaseRow, LeaseStore, NewLease } from '../../src/ports/lease-store.ts';
import { type FakeFaults, underFate } from './fake-faults.ts';

export class FakeLeaseStore implements LeaseStore {
  readonly rows = new Map<LeaseKey, LeaseRow>();
  readonly faults: FakeFaults;
  /** Writes that held, creations included: what coordination costs. */
  writes = 0;

  constructor(faults: FakeFaults = { fate: () => 'pass' }) {
    this.faults = faults;
  }

  prepare(signal: AbortSignal): Promise<void> {
    return underFate(this.faults, { operation: 'prepare', key: '', signal }, () => undefined);
  }

  scan(signal: AbortSignal): Promise<readonly LeaseRow[]> {
    return underFate(this.faults, { operation: 'scan', key: '', signal }, () => [...this.rows.values()]);
  }

  read(key: LeaseKey, signal: AbortSignal): Promise<LeaseRow | undefined> {
    return underFate(this.faults, { operation: 'read', key, signal }, () => this.rows.get(key));
  }

  create(row: NewLease, signal: AbortSignal): Promise<'created' | 'exists'> {
    return underFate(this.faults, { operation: 'create', key: row.key, signal }, () => {
      if (this.rows.has(row.key)) return 'exists';
      this.#put({ ...row, counter: 0, ownerSwitches: 0, children: [], positions: new Map() });
      return 'created';
    });
  }

  write(seen: LeaseRow, change: LeaseChange, signal: AbortSignal) {
    return underFate(this.faults, { operation: 'write', key: seen.key, signal }, () => {
      const row = this.rows.get(seen.key);
      if (row === undefined) return { is: 'refused' } as const;
      if (row.counter !== seen.counter || row.owner !== seen.owner) return { is: 'refused', row } as const;
      return { is: 'written', row: this.#put(changed(row, seen, change)) } as const;
    });
  }

  remove(seen: LeaseRow, signal: AbortSignal): Promise<'removed' | 'refused'> {
    return underFate(this.faults, { operation: 'remove', key: seen.key, signal }, () => {
      const row = this.rows.get(seen.key);
      if (row?.counter !== seen.counter || row.owner !== seen.owner || row.checkpoint !== seen.checkpoint) return 'refused';
      this.rows.delete(seen.key);
      return 'removed';
    });
  }

  #put(row: LeaseRow): LeaseRow {
    this.rows.set(row.key, row);
    this.writes += 1;
    return row;
  }
}

function changed(row: LeaseRow, seen: LeaseRow, change: LeaseChange): LeaseRow {
  const { owner: was, endedAt: ended, nonce, lastOwner, handoffFrom: from, ...rest } = row;
  const owner = change.owner === undefined ? was : (change.owner ?? undefined);
  const endedAt = change.endedAt === undefined ? ended : (change.endedAt ?? undefined);
  const handoffFrom = change.owner === undefined ? from : change.handoffFrom;
  const moved = owner !== was && owner !== undefined;
  const newNonce = change.nonce ?? nonce;
  const before = was !== undefined && owner !== was ? was : lastOwner;
  return {
    ...rest,
    counter: row.counter + 1,
    ownerSwitches: change.checkpoint !== undefined ? 0 : moved ? seen.ownerSwitches + 1 : row.ownerSwitches,
    positions: change.positions === undefined ? row.positions : new Map<string, Position>(change.positions),
    checkpoint: change.checkpoint ?? row.checkpoint,
    children: change.children === undefined || change.children.length === 0 ? row.children : change.children,
    ...(owner !== undefined && { owner }),
    ...(endedAt !== undefined && { endedAt }),
    ...(newNonce !== undefined && { nonce: newNonce }),
    ...(before !== undefined && { lastOwner: before }),
    ...(handoffFrom !== undefined && { handoffFrom }),
  };
}
