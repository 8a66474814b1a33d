/**
 * Time and chance under a test's control. Timers run in the order of their due times (and of their making, for equal ones); between two of them all
 * promises that can go on do. Wall time and monotonic time advance together, but wall time can be made to jump.
 */
import type { EpochMs, Ms } from '../../src/model/units.ts';
import type { Cancel, Clock, Random } from '../../src/ports/clock.ts';

interface Timer {
  readonly dueAt: Ms;
  readonly order: number;
  /** Undefined: it was cancelled, or has run. */
  f: (() => void) | undefined;
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

/** A heap, the next timer first: a world of thousands of shards has as many timers. Its functions are bound: tests take a clock apart and put another one's part in. */
class TimerQueue implements VirtualClock {
  readonly #timers: Timer[] = [];
  #pending = 0;
  #elapsed = 0;
  #order = 0;
  #wall: EpochMs;

  constructor(wall: EpochMs) {
    this.#wall = wall;
  }

  get pending(): number {
    return this.#pending;
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
    const timer: Timer = { dueAt: this.#elapsed + Math.max(0, ms), order: this.#order++, f };
    this.#push(timer);
    this.#pending += 1;
    return () => {
      if (timer.f !== undefined) this.#pending -= 1;
      timer.f = undefined;
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

  /** Those that were cancelled are dropped on the way. */
  #next(): Timer | undefined {
    while (this.#timers[0] !== undefined && this.#timers[0].f === undefined) this.#pop();
    return this.#timers[0];
  }

  #run(timer: Timer): void {
    const { f } = timer;
    this.#pop();
    this.#pending -= 1;
    timer.f = undefined;
    this.#passTo(Math.max(this.#elapsed, timer.dueAt));
    f?.();
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    let at = heap.length;
    for (; at > 0; at = (at - 1) >> 1) {
      const parent = heap[(at - 1) >> 1];
      if (parent === undefined || earlier(parent, timer)) break;
      heap[at] = parent;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#timers;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
      const child = right !== undefined && left !== undefined && earlier(right, left) ? right : left;
      if (child === undefined || earlier(last, child)) break;
      heap[at] = child;
      at = child === left ? 2 * at + 1 : 2 * at + 2;
    }
    heap[at] = last;
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
