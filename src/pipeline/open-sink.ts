/**
 * One configured output of the process: its open target, shared by all the partitions that write to it. A small machine: `opening` for the first time,
 * `open`, `paused`, `halted`, `stopped`. A sink halts for a reason and keeps its positions; where a grant or a target that appears can heal it, it looks again by itself each 60 s,
 * and a target that merely gave no answer is asked again as a failed write is, after `maximumBackoffSeconds`.
 * A write that ignores its abort is waited for here, so that a second attempt never runs beside the first.
 */
import { type Connector, type Host, type Sink, SinkFault, type Traits } from '../connector.ts';
import { ABORT_MS, type Delivery } from '../model/delivery.ts';
import type { Ms, SinkName } from '../model/units.ts';
import type { Cancel, Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { Accounts } from './accounts.ts';
import { WriteTrouble } from './write-trouble.ts';

export type OpenSinkState = 'opening' | 'open' | 'paused' | 'halted' | 'stopped';

export interface OpenSinkParts {
  readonly name: SinkName;
  readonly type: string;
  readonly connector: Connector<unknown>;
  readonly options: unknown;
  readonly delivery: Delivery;
  readonly host: Host;
  readonly clock: Clock;
  readonly log: Log;
  /** A target that can neither be written nor closed: only the end of the process ends its writes. */
  readonly fatal: (error: Error) => void;
}

const LOOK_AGAIN_MS: Ms = 60_000;
const UNSETTLED_MS: Ms = 60_000;
const CLOSE_MS: Ms = 5_000;

export class OpenSink {
  readonly name: SinkName;
  readonly type: string;
  readonly traits: Traits;
  readonly delivery: Delivery;
  readonly accounts = new Accounts();
  readonly trouble: WriteTrouble;
  /** Runs that are over, and have writes that may still land. */
  #outlived = 0;
  #heldBytes = 0;
  #roomAsked = false;
  readonly #parts: OpenSinkParts;
  readonly #listeners = new Set<() => void>();
  #target: Sink | undefined;
  #paused = false;
  #halt: { reason: string; heals: boolean } | undefined;
  #stopped = false;
  #lookAgain: Cancel | undefined;
  #opening: Promise<void> | undefined;
  #reopening: Promise<void> | undefined;

  constructor(parts: OpenSinkParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.type = parts.type;
    this.delivery = parts.delivery;
    this.traits = parts.connector.traits(parts.options);
    this.trouble = new WriteTrouble(parts.log, parts.clock);
  }

  get state(): OpenSinkState {
    if (this.#stopped) return 'stopped';
    if (this.#halt !== undefined) return 'halted';
    if (this.#paused) return 'paused';
    return this.#target === undefined ? 'opening' : 'open';
  }

  get reason(): string | null {
    const { state } = this;
    if (state === 'halted') return this.#halt?.reason ?? null;
    if (state === 'paused') return 'paused by an operator';
    return state === 'opening' ? 'not open yet' : null;
  }

  /** The target. Only to be asked for while the state is `open`. */
  get target(): Sink {
    if (this.#target === undefined) throw new Error(`sink ${this.name} is not open`);
    return this.#target;
  }

  /**
   * A write may begin. Not while one of a run that is over has not settled: its shard may have been finished by another worker since, and what follows
   * that shard here has the same keys.
   */
  get takesWrites(): boolean {
    return this.#outlived === 0 && this.state === 'open';
  }

  /** A run is over, and what it had under way settles later. */
  outlived(settled: Promise<void>): void {
    this.#outlived += 1;
    void settled.then(() => {
      this.#outlived -= 1;
      this.#changed();
    });
  }

  /** Bytes taken and unfinished, and rests, over all partitions: what the sink's share counts. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  hold(bytes: number): void {
    this.#heldBytes += bytes;
  }

  /**
   * The share is the sink's over all partitions, so room that comes back by work of one is told to all, on the clock's next turn. (A partition that had
   * no room when it looked would not have looked again.)
   */
  letGo(bytes: number, shareBytes: number): void {
    const had = this.#heldBytes;
    this.#heldBytes -= bytes;
    if (had < shareBytes || this.#heldBytes >= shareBytes || this.#roomAsked) return;
    this.#roomAsked = true;
    this.#parts.clock.after(1, () => {
      this.#roomAsked = false;
      this.#changed();
    });
  }

  /** Which batch group a record belongs to. */
  groupOf(...[record]: Parameters<NonNullable<Traits['group']>>): string {
    return (this.#target?.group ?? this.traits.group)?.(record) ?? '';
  }

  /** Calls back at every change of state, and when there is room again. Returns how to stop that. */
  watch(listener: () => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Opens the target, or halts. Never throws. */
  open(): Promise<void> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  pause(): void {
    this.#paused = true;
    this.#changed();
  }

  /** Begins again after a pause, and tries a halted sink again. */
  resume(): void {
    this.#paused = false;
    if (this.#halt !== undefined) void this.#reopen();
    this.#changed();
  }

  halt(reason: string, heals: boolean, lookAgainMs: Ms = LOOK_AGAIN_MS): void {
    if (this.#stopped) return;
    const again = this.#halt?.reason === reason;
    this.#halt = { reason, heals };
    if (!again) this.#parts.log.error({ sink: this.name, heals }, `the sink halts: ${reason}`);
    this.#lookAgain?.();
    this.#lookAgain = heals ? this.#parts.clock.after(lookAgainMs, () => void this.#reopen()) : undefined;
    this.#changed();
  }

  /**
   * A write was aborted and has not settled within ABORT_MS: the sink halts until it settles, 60 s at most; then its connections are destroyed by
   * `close`, within 5 s, else the process has to end; then it is opened anew. Resolves when nothing of the write can reach the target any more.
   * `target`: the one that it was given to. Another write that did not settle may have had it closed and replaced since.
   */
  async waitForUnsettled(settled: Promise<unknown>, target: Sink): Promise<void> {
    this.halt(`a write has not settled ${ABORT_MS / 1000} s after its abort`, false);
    if (!(await this.#within(settled, UNSETTLED_MS)) && !(await this.#within(target.close(), CLOSE_MS))) {
      this.#parts.fatal(new Error(`sink ${this.name}: a write can neither be aborted nor its target closed`));
    }
    if (this.#target === target || this.#halt !== undefined) await this.#reopen();
  }

  async close(): Promise<void> {
    this.#stopped = true;
    this.#lookAgain?.();
    const target = this.#target;
    this.#target = undefined;
    this.#changed();
    if (target !== undefined) await this.#within(target.close(), CLOSE_MS);
  }

  /** One at a time: a second one would leave the target that the first has just opened without anybody to close it. */
  #reopen(): Promise<void> {
    this.#reopening ??= this.#openAnew().finally(() => {
      this.#reopening = undefined;
    });
    return this.#reopening;
  }

  async #openAnew(): Promise<void> {
    if (this.#stopped) return;
    const old = this.#target;
    this.#target = undefined;
    if (old !== undefined) await this.#within(old.close(), CLOSE_MS);
    await this.open();
  }

  async #open(): Promise<void> {
    try {
      const target = await this.#parts.connector.open(this.#parts.options, this.#parts.host);
      if (this.#stopped) return void (await target.close());
      if (this.#halt !== undefined) this.#parts.log.info({ sink: this.name }, 'the sink is open again');
      this.#target = target;
      this.#halt = undefined;
      this.#lookAgain?.();
      this.#changed();
    } catch (error) {
      // Whatever kept it from opening may pass: only a fault that says it will not is left to the operator.
      const mayPass = !(error instanceof SinkFault) || error.disposition !== 'halt';
      const backoffMs = Math.min(LOOK_AGAIN_MS, Math.max(1, this.delivery.maximumBackoffSeconds) * 1000);
      this.halt(error instanceof Error ? error.message : String(error), mayPass || error.heals, mayPass ? backoffMs : LOOK_AGAIN_MS);
    }
  }

  async #within(work: Promise<unknown>, ms: Ms): Promise<boolean> {
    let cancel: Cancel = () => {};
    const late = new Promise<boolean>(resolve => {
      cancel = this.#parts.clock.after(ms, () => resolve(false));
    });
    const done = work.then(
      () => true,
      () => true,
    );
    const inTime = await Promise.race([done, late]);
    cancel();
    return inTime;
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
