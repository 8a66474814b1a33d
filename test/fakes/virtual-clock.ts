/**
 * Time and chance under a test's control. Timers run in the order of their due times (and of their making, for equal ones); between two of them all
 * promises that can go on do. Wall time and monotonic time advance together, but wall time can be made to jump.
 */
import type { EpochMs, Ms } from '../../src/model/units.ts';
import type { Cancel, Clock, Random } from '../../src/ports/clock.ts';

interface Timer {
  readonly dueAt: Ms;
  readonly order: number;
  readonly f: () => void;
}

export interface VirtualClock extends Clock {
  /** Lets time pass, running what falls due. */
  advance(ms: Ms): Promise<void>;
  /** Runs timers until the predicate holds or the promise settles; throws when that takes more than `maxMs` of virtual time, or nothing is left to run. */
  runUntil(goal: (() => boolean) | Promise<unknown>, options?: { maxMs?: Ms }): Promise<void>;
  /** Moves the wall clock alone. */
  jumpWall(ms: Ms): void;
  /** Timers that wait. */
  readonly pending: number;
}

export function virtualClock(options: { startAt?: EpochMs } = {}): VirtualClock {
  return new TimerQueue(options.startAt ?? Date.UTC(2026, 0, 1));
}

/** Its functions are bound: tests take a clock apart and put another one's part in. */
class TimerQueue implements VirtualClock {
  readonly #timers: Timer[] = [];
  #elapsed = 0;
  #order = 0;
  #wall: EpochMs;

  constructor(wall: EpochMs) {
    this.#wall = wall;
  }

  get pending(): number {
    return this.#timers.length;
  }

  readonly now = (): EpochMs => {
    return this.#wall;
  };

  readonly elapsed = (): Ms => {
    return this.#elapsed;
  };

  readonly jumpWall = (ms: Ms): void => {
    this.#wall += ms;
  };

  readonly after = (ms: Ms, f: () => void): Cancel => {
    const timer = { dueAt: this.#elapsed + Math.max(0, ms), order: this.#order++, f };
    this.#timers.push(timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  };

  readonly sleep = (ms: Ms, signal: AbortSignal): Promise<void> => {
    return new Promise(resolve => {
      if (signal.aborted) return resolve();
      const done = () => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.after(ms, done);
      signal.addEventListener('abort', done);
    });
  };

  readonly advance = async (ms: Ms): Promise<void> => {
    const until = this.#elapsed + ms;
    await turn();
    for (let timer = this.#next(); timer !== undefined && timer.dueAt <= until; timer = this.#next()) {
      this.#run(timer);
      await turn();
    }
    this.#passTo(until);
  };

  readonly runUntil = async (goal: (() => boolean) | Promise<unknown>, { maxMs = 600_000 }: { maxMs?: Ms } = {}): Promise<void> => {
    const until = this.#elapsed + maxMs;
    const reached = reachedWhen(goal);
    await turn();
    while (!reached()) {
      const timer = this.#next();
      if (timer === undefined) throw new Error('nothing is left to run, and the goal is not reached');
      if (timer.dueAt > until) throw new Error(`the goal is not reached within ${maxMs} ms`);
      this.#run(timer);
      await turn();
    }
  };

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) if (first === undefined || earlier(timer, first)) first = timer;
    return first;
  }

  #run(timer: Timer): void {
    this.#timers.splice(this.#timers.indexOf(timer), 1);
    this.#passTo(Math.max(this.#elapsed, timer.dueAt));
    timer.f();
  }

  #passTo(at: Ms): void {
    this.#wall += at - this.#elapsed;
    this.#elapsed = at;
  }
}

const earlier = (a: Timer, b: Timer) => a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order);

function reachedWhen(goal: (() => boolean) | Promise<unknown>): () => boolean {
  if (typeof goal === 'function') return goal;
  let settled = false;
  const note = () => {
    settled = true;
  };
  goal.then(note, note);
  return () => settled;
}

/** One turn of the event loop: every promise that can go on has done so. */
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** A small seeded generator (mulberry32): the same seed, the same run. */
export function seededRandom(seed: number): Random & { integer(below: number): number; chance(p: number): boolean } {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const integer = (below: number) => Math.floor(next() * below);
  const hex = (digits: number) => Array.from({ length: digits }, () => integer(16).toString(16)).join('');
  return {
    next,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`,
    integer,
    chance: p => next() < p,
  };
}
