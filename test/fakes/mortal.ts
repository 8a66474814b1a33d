/**
 * A process that can die or freeze at any moment, on a machine that goes on. Everything it waits for comes through here: timers and answers of a dead
 * process never come, those of a frozen one come when it wakes. What it had sent before is done.
 */
import type { Clock } from '../../src/ports/clock.ts';

export class Mortal {
  readonly clock: Clock;
  #state: 'alive' | 'frozen' | 'dead' = 'alive';
  #waiting: (() => void)[] = [];

  constructor(machine: Clock) {
    const after: Clock['after'] = (ms, f) => {
      let cancelled = false;
      const cancel = machine.after(ms, () => this.#pass(() => cancelled || f()));
      return () => {
        cancelled = true;
        cancel();
      };
    };
    this.clock = {
      now: () => machine.now(),
      elapsed: () => machine.elapsed(),
      after,
      sleep: (ms, signal) =>
        new Promise(resolve => {
          if (signal.aborted) return resolve();
          const done = () => {
            cancel();
            signal.removeEventListener('abort', done);
            resolve();
          };
          const cancel = after(ms, done);
          signal.addEventListener('abort', done);
        }),
    };
  }

  get isAlive(): boolean {
    return this.#state !== 'dead';
  }

  die(): void {
    this.#state = 'dead';
    this.#waiting = [];
  }

  freeze(): void {
    this.#state = 'frozen';
  }

  thaw(): void {
    this.#state = 'alive';
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const f of waiting) f();
  }

  /** A port as this process sees it. */
  sees<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => this.#answer(() => value.apply(target, args) as unknown);
      },
    });
  }

  #answer(call: () => unknown): unknown {
    if (this.#state === 'dead') return new Promise(() => {});
    const answer = call();
    if (!(answer instanceof Promise)) return answer;
    return new Promise((resolve, reject) => {
      answer.then(
        value => this.#pass(() => resolve(value)),
        (error: unknown) => this.#pass(() => reject(error)),
      );
    });
  }

  #pass(f: () => void): void {
    if (this.#state === 'alive') f();
    else if (this.#state === 'frozen') this.#waiting.push(f);
  }
}
