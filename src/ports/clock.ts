/**
 * Time and chance. Only `adapters/system.ts` touches the real ones; tests and the simulation bring their own.
 */
import type { EpochMs, Ms } from '../model/units.ts';

export type Cancel = () => void;

export interface Clock {
  /** Wall time. May jump. */
  now(): EpochMs;
  /** Monotonic time since some start, in ms with fractions. */
  elapsed(): Ms;
  /** Calls `f` once after `ms`, unless cancelled. Does not keep the process alive by itself. */
  after(ms: Ms, f: () => void): Cancel;
  /** Resolves after `ms`, or at once when the signal aborts; it never rejects. */
  sleep(ms: Ms, signal: AbortSignal): Promise<void>;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A fresh UUID. */
  uuid(): string;
}
