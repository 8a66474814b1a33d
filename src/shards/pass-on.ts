/** What a worker that leaves does about rows that were handed to it meanwhile: it gives them on, and waits for those that are on their way to it. */
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { LeaseRow, LeaseStore } from '../ports/lease-store.ts';
import type { Balance } from './balance.ts';
import type { Crew } from './membership.ts';

export interface PassOnParts {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly worker: string;
  readonly crew: Crew;
  readonly balance: Balance;
  /** Given to us, and not taken. */
  readonly isOurs: (row: LeaseRow) => boolean;
}

/** A hand-over that was begun before its target said that it leaves is over by then. */
const ARRIVALS_MS: Ms = 700;

export async function passOn(parts: PassOnParts, signal: AbortSignal): Promise<void> {
  const { store, clock, balance } = parts;
  const from = clock.elapsed();
  for (;;) {
    const rows = await store.scan(signal);
    for (const row of rows.filter(parts.isOurs)) await give(row, parts, signal);
    if (!balance.expects(rows) || clock.elapsed() - from >= ARRIVALS_MS || signal.aborted) return;
    await clock.sleep(ARRIVALS_MS / 4, signal);
  }
}

async function give(row: LeaseRow, { store, worker, crew, balance }: PassOnParts, signal: AbortSignal): Promise<void> {
  const to = balance.heir(row.key);
  await store.write(row, { owner: to ?? null, ...(to !== undefined && { handoffFrom: worker }) }, signal);
  if (to !== undefined) crew.ring(to);
}
