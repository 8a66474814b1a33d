/**
 * The lease table as one process reaches it: its way there may be cut while all others go on. Before it is, answers come long after what they tell of.
 */
import type { Ms } from '../../../src/model/units.ts';
import type { LeaseStore } from '../../../src/ports/lease-store.ts';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import type { VirtualClock } from '../../fakes/virtual-clock.ts';
import type { Dice } from './dice.ts';
import type { Life } from './life.ts';

const LATE_MS: readonly [Ms, Ms] = [500, 4_000];
const NO_ANSWER_MS: Ms = 1_000;

export function ownLine(store: LeaseStore, life: Life, { clock, dice }: { clock: VirtualClock; dice: Dice }): LeaseStore {
  const through = async <T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    if (life.line === 'cut') {
      await clock.sleep(NO_ANSWER_MS, signal);
      throw new ServiceFault('TimeoutError', 'no answer', { class: signal.aborted ? 'aborted' : 'network' });
    }
    const answer = await call();
    if (life.line === 'slow') await clock.sleep(dice.between(...LATE_MS), signal);
    return answer;
  };
  return {
    prepare: signal => through(() => store.prepare(signal), signal),
    scan: signal => through(() => store.scan(signal), signal),
    read: (key, signal) => through(() => store.read(key, signal), signal),
    create: (row, signal) => through(() => store.create(row, signal), signal),
    remove: (seen, signal) => through(() => store.remove(seen, signal), signal),
    write: (seen, change, signal) => through(() => store.write(seen, change, signal), signal),
  };
}
