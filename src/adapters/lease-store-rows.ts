/**
 * Lease rows as they stand in the table: the Kinesis Client Library's names, types and sentinels, nothing empty, and our own attributes beside them.
 * Positions are maps by sink, so that a position can come to carry more than one place.
 */
import type { AttributeValue, Item } from '../model/item.ts';
import type { Position } from '../model/position.ts';
import type { LeaseChange, LeaseKey, LeaseRow, NewLease } from '../ports/lease-store.ts';
import { number, text } from './attribute-values.ts';

export function newLeaseItem(row: NewLease): Item {
  return {
    leaseKey: { S: row.key },
    leaseCounter: { N: '0' },
    checkpoint: { S: row.checkpoint },
    checkpointSubSequenceNumber: { N: '0' },
    ownerSwitchesSinceCheckpoint: { N: '0' },
    ...(row.parents.length > 0 && { parentShardId: { SS: row.parents } }),
    entityType: { S: 'LEASE' },
    positions: { M: {} },
    ...(row.startingToken !== undefined && { startingSequenceNumber: { S: row.startingToken } }),
  };
}

/** Undefined for what is not a lease: other kinds of rows that KCL 3.5 keeps in the same table. */
export function leaseRow(item: Item, key: LeaseKey): LeaseRow | undefined {
  const counter = number(item['leaseCounter']);
  const kind = text(item['entityType']);
  if (counter === undefined || (kind !== undefined && kind !== 'LEASE')) return undefined;
  return {
    key,
    counter,
    checkpoint: text(item['checkpoint']) ?? 'TRIM_HORIZON',
    parents: texts(item['parentShardId']),
    children: texts(item['childShardIds']),
    ownerSwitches: number(item['ownerSwitchesSinceCheckpoint']) ?? 0,
    positions: positions(item['positions']),
    ...present('owner', text(item['leaseOwner'])),
    ...present('nonce', text(item['acquireNonce'])),
    ...present('lastOwner', text(item['lastOwner'])),
    ...present('handoffFrom', text(item['handoffFrom'])),
    ...present('startingToken', text(item['startingSequenceNumber'])),
    ...present('endedAt', number(item['endedAt'])),
  };
}

/** Attribute -> new value, undefined for what goes. */
export function changedAttributes(seen: LeaseRow, change: LeaseChange): ReadonlyMap<string, AttributeValue | undefined> {
  const { owner, nonce, children, endedAt, handoffFrom } = change;
  const set = new Map<string, AttributeValue | undefined>([['leaseCounter', { N: String(seen.counter + 1) }]]);
  if (owner !== undefined) {
    set.set('leaseOwner', owner === null ? undefined : { S: owner });
    if (handoffFrom !== undefined || seen.handoffFrom !== undefined)
      set.set('handoffFrom', handoffFrom === undefined ? undefined : { S: handoffFrom });
    if (seen.owner !== undefined && seen.owner !== owner) set.set('lastOwner', { S: seen.owner });
    if (owner !== null && seen.owner !== owner) set.set('ownerSwitchesSinceCheckpoint', { N: String(seen.ownerSwitches + 1) });
  }
  if (nonce !== undefined) set.set('acquireNonce', { S: nonce });
  if (change.positions !== undefined) set.set('positions', { M: positionItems(change.positions) });
  if (change.checkpoint !== undefined) {
    set.set('checkpoint', { S: change.checkpoint });
    set.set('checkpointSubSequenceNumber', { N: '0' });
    set.set('ownerSwitchesSinceCheckpoint', { N: '0' });
    // A two-phase checkpoint that KCL had prepared is void once a newer one stands, as it is for KCL itself.
    for (const pending of ['pendingCheckpoint', 'pendingCheckpointSubSequenceNumber', 'pendingCheckpointState'])
      set.set(pending, undefined);
  }
  if (children !== undefined && children.length > 0) set.set('childShardIds', { SS: children });
  if (endedAt !== undefined) set.set('endedAt', endedAt === null ? undefined : { N: String(endedAt) });
  return set;
}

export function positionItems(map: ReadonlyMap<string, Position>): Item {
  return Object.fromEntries([...map].map(([sink, position]) => [sink, { M: positionItem(position) }]));
}

function positionItem(position: Position): Item {
  if (position.at === 'tip') return { at: { S: 'tip' }, takenAt: { N: String(position.takenAt) } };
  if (position.at === 'start' || position.at === 'end') return { at: { S: position.at } };
  return { at: { S: position.at }, token: { S: position.token }, changedAt: { N: String(position.changedAt) } };
}

function positions(value: AttributeValue | undefined): ReadonlyMap<string, Position> {
  if (value === undefined || !('M' in value)) return new Map();
  return new Map(Object.entries(value.M).map(([sink, entry]) => [sink, position(sink, entry)]));
}

function position(sink: string, value: AttributeValue): Position {
  const entry: Item = 'M' in value ? value.M : {};
  const at = text(entry['at']);
  const token = text(entry['token']);
  const takenAt = number(entry['takenAt']);
  if (at === 'start' || at === 'end') return { at };
  if (at === 'tip' && takenAt !== undefined) return { at, takenAt };
  if ((at === 'from' || at === 'after') && token !== undefined) return { at, token, changedAt: number(entry['changedAt']) ?? 0 };
  // A newer version wrote it, or a person: going on from a guess could skip records.
  throw new Error(`the lease table has a position of ${sink} that this version does not understand: ${JSON.stringify(value)}`);
}

function texts(value: AttributeValue | undefined): readonly string[] {
  return value !== undefined && 'SS' in value ? value.SS : [];
}

function present<Name extends string, T>(name: Name, value: T | undefined): { readonly [K in Name]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [K in Name]?: T });
}
