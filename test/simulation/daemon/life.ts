/**
 * One process of the daemon, from its start until it ends or dies. Every call of a port goes through here, so it can die at any await: right before the
 * n-th call leaves, or right after. From then on no promise of it settles and no timer of it runs, while what it had sent goes on.
 */
import type { Ms } from '../../../src/model/units.ts';
import type { Daemon } from '../../../src/runners/daemon.ts';
import { Mortal } from '../../fakes/mortal.ts';
import type { VirtualClock } from '../../fakes/virtual-clock.ts';
import type { Dice } from './dice.ts';

export interface Crash {
  /** The number of the port call at which it dies. */
  readonly call: number;
  readonly when: 'before' | 'after';
}

/** At some call, mostly an early one. */
export function someCrash(dice: Dice): Crash {
  return { call: Math.ceil(Math.exp(dice.next() * 8)), when: dice.pick(['before', 'after']) };
}

export class Life {
  readonly n: number;
  readonly startedAt: Ms;
  readonly process: Mortal;
  readonly stop = new AbortController();
  /** Set by whoever starts it. */
  daemon: Daemon | undefined;
  /** How `run` ended; undefined while it runs. */
  end: { readonly error?: unknown } | undefined;
  calls = 0;
  lostLeases = 0;
  diedAt: Ms | undefined;
  isFrozen = false;
  /** Its own way to the lease table. */
  line: 'well' | 'slow' | 'cut' = 'well';
  /** The last time. */
  frozenAt: Ms | undefined;
  /** The check of its readings. */
  readonly readings: { over(): void };
  #isToStop = false;
  readonly #machine: VirtualClock;
  readonly #crash: Crash | undefined;
  readonly #mourners = new Set<() => void>();

  constructor(n: number, machine: VirtualClock, { crash, readings }: { crash: Crash | undefined; readings: Life['readings'] }) {
    this.n = n;
    this.readings = readings;
    this.#machine = machine;
    this.startedAt = machine.elapsed();
    this.process = new Mortal(machine);
    this.#crash = crash;
  }

  /** It can still do something. */
  get isRunning(): boolean {
    return this.process.isAlive && this.end === undefined;
  }

  get worker(): string {
    return `worker-${this.n}`;
  }

  /** Calls back when it dies; returns how to stop that. */
  mourn(f: () => void): () => void {
    this.#mourners.add(f);
    return () => this.#mourners.delete(f);
  }

  die(): void {
    if (!this.process.isAlive) return;
    this.process.die();
    this.diedAt = this.#machine.elapsed();
    for (const f of [...this.#mourners]) f();
  }

  /** As a signal does: one that sleeps hears of it when it wakes. */
  tellToStop(): void {
    if (this.isFrozen) this.#isToStop = true;
    else this.stop.abort();
  }

  freeze(): void {
    this.isFrozen = true;
    this.frozenAt = this.#machine.elapsed();
    this.process.freeze();
  }

  /** With its machine: its monotonic clock stands still. */
  suspend(): void {
    this.freeze();
    this.process.suspend();
  }

  thaw(): void {
    this.isFrozen = false;
    this.process.thaw();
    if (this.#isToStop) this.stop.abort();
  }

  /** A port as this process sees it. */
  sees<T extends object>(port: T): T {
    return this.process.sees(this.#doomed(port));
  }

  #doomed<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          this.calls += 1;
          const isLast = this.calls === this.#crash?.call;
          if (isLast && this.#crash?.when === 'before') {
            this.die();
            return new Promise(() => {});
          }
          const answer: unknown = value.apply(target, args);
          if (isLast) this.die();
          return answer;
        };
      },
    });
  }
}
