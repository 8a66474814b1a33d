/**
 * What a process writes to the lease table, held against what it may claim there. Law 7: it saves positions in no row of another. Law 1: a save that had
 * no answer is sent again with the same bytes until one answers, for an answer that shows our own write says that those are saved.
 */
import type { LeaseChange, LeaseStore } from '../../../../src/ports/lease-store.ts';
import { nameOf, type Scene } from '../scene.ts';

/** The lease table as the process is given it. */
export function claimed({ leases, history }: Scene, worker: string): LeaseStore {
  const sent = new Map<string, string>();
  return {
    prepare: signal => leases.prepare(signal),
    scan: signal => leases.scan(signal),
    read: (key, signal) => leases.read(key, signal),
    create: (row, signal) => leases.create(row, signal),
    remove: (seen, signal) => leases.remove(seen, signal),
    write: (seen, change, signal) => {
      const { key, owner, counter } = seen;
      const isSave = change.owner === undefined && owner !== undefined;
      if (isSave && owner !== worker && change.positions !== undefined)
        history.breaks('law 7', `${worker} saves positions at ${nameOf(key)}, which it saw as ${owner}'s`);
      if (isSave && owner === worker) {
        const text = textOf(change);
        const before = sent.get(`${key} ${counter}`) ?? text;
        if (before !== text) history.breaks('law 1', `${worker} saves ${text} at ${nameOf(key)}, and had sent ${before} without an answer`);
        sent.set(`${key} ${counter}`, text);
      }
      return leases.write(seen, change, signal);
    },
  };
}

const textOf = ({ positions, ...rest }: LeaseChange): string => JSON.stringify({ ...rest, positions: [...(positions ?? [])] });
