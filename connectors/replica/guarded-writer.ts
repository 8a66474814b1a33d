/**
 * The writer of `writes: conditional`: what can be a statement goes 25 to a call, everything else alone, all at the same time, for no two are of one key.
 */

import type { FastPuts, Stated } from './fast-puts.ts';
import type { GuardedWrites } from './guarded-writes.ts';
import type { Outcome } from './outcomes.ts';
import type { Work, Writer } from './work.ts';

export interface GuardedWriterParts {
  readonly single: GuardedWrites;
  /** Absent in mode version, where each put must meet its tombstone. */
  readonly fast?: FastPuts | undefined;
}

export function guardedWriter({ single, fast }: GuardedWriterParts): Writer {
  return {
    write: async (work, signal) => {
      const stated: (Stated & { readonly at: number })[] = [];
      const alone: { readonly work: Work; readonly at: number }[] = [];
      for (const [at, each] of work.entries()) {
        const statement = single.mayBeOld(each) ? undefined : fast?.statementOf(each);
        if (statement) stated.push({ work: each, statement, at });
        else alone.push({ work: each, at });
      }
      const [byStatement, byWrite] = await Promise.all([
        fast?.write(stated, signal) ?? [],
        Promise.all(alone.map(each => single.write(each.work, signal))),
      ]);
      const outcomes = new Map<number, Outcome>();
      for (const [i, outcome] of byStatement.entries()) outcomes.set(stated[i]?.at ?? -1, outcome);
      for (const [i, outcome] of byWrite.entries()) outcomes.set(alone[i]?.at ?? -1, outcome);
      return work.map((_, at) => outcomes.get(at) ?? { is: 'failed', disposition: 'retry', reason: 'it was not tried' });
    },
  };
}
