/**
 * A process that can die or freeze at any moment, on a machine that goes on. Everything it waits for comes through here: timers and answers of a dead
 * process never come, those of a frozen one come when it wakes. What it had sent before is done. Its clocks are its own: its wall clock may jump, both
 * go on while it is blocked, and the monotonic one stands still while its machine is suspended.
 *
 * A process that is stopped mostly stands in its wait for input: so when it wakes it hears the answers that came meanwhile before its timers, and does
 * with each what there is to do before it hears the next.
 */
import type { Ms } from '../../src/model/units.ts';
import type { Clock } from '../../src/ports/clock.ts';

export class Mortal {
  readonly clock: Clock;
  #state: 'alive' | 'frozen' | 'waking' | 'dead' = 'alive';
  #answers: (() => void)[] = [];
  #timers: (() => void)[] = [];
  readonly #machine: Clock;
  #wallAheadMs: Ms = 0;
  #blockedMs: Ms = 0;
  #suspendedMs: Ms = 0;
  #suspendedAt: Ms | undefined;

  constructor(machine: Clock) {
    this.#machine = machine;
    const uptime = () => (this.#suspendedAt ?? machine.elapsed()) - this.#suspendedMs;
    const after: Clock['after'] = (ms, f) => {
      let cancelled = false;
      const dueAt = uptime() + ms;
      const arm = (leftMs: Ms, suspendedMs: Ms) =>
        machine.after(leftMs, () =>
          this.#pass(() => {
            if (cancelled) return;
            // A machine that was suspended has not counted that time for its timers either.
            if (this.#suspendedMs > suspendedMs && uptime() < dueAt) cancel = arm(dueAt - uptime(), this.#suspendedMs);
            else f();
          }, this.#timers),
        );
      let cancel = arm(ms, this.#suspendedMs);
      return () => {
        cancelled = true;
        cancel();
      };
    };
    this.clock = {
      now: () => machine.now() + this.#wallAheadMs + this.#blockedMs,
      elapsed: () => uptime() + this.#blockedMs,
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

  /** It runs, so it knows what it does. */
  get isAwake(): boolean {
    return this.#state === 'alive';
  }

  die(): void {
    this.#state = 'dead';
    this.#answers.length = 0;
    this.#timers.length = 0;
  }

  freeze(): void {
    if (this.isAlive) this.#state = 'frozen';
  }

  /** With its machine: its monotonic clock stands still until it is thawed. */
  suspend(): void {
    this.freeze();
    this.#suspendedAt = this.#machine.elapsed();
  }

  /** To be called by what runs in it: for so long nothing else of it does. */
  block(ms: Ms): void {
    this.#blockedMs += ms;
  }

  jumpWall(ms: Ms): void {
    this.#wallAheadMs += ms;
  }

  thaw(): void {
    if (this.#state !== 'frozen') return;
    if (this.#suspendedAt !== undefined) this.#suspendedMs += this.#machine.elapsed() - this.#suspendedAt;
    this.#suspendedAt = undefined;
    this.#state = 'waking';
    void this.#wake();
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
        value => this.#pass(() => resolve(value), this.#answers),
        (error: unknown) => this.#pass(() => reject(error), this.#answers),
      );
    });
  }

  #pass(f: () => void, waiting: (() => void)[]): void {
    if (this.#state === 'alive') f();
    else if (this.#state !== 'dead') waiting.push(f);
  }

  /** All of it in one turn of the machine's clock. */
  async #wake(): Promise<void> {
    while (this.#state === 'waking') {
      const next = this.#answers.shift() ?? this.#timers.shift();
      if (next === undefined) this.#state = 'alive';
      else next();
      // Every promise that can go on has done so.
      await new Promise<void>(resolve => process.nextTick(resolve));
    }
  }
}
