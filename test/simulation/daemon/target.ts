/**
 * A target and the connector that writes to it, in whatever mood the target is. It runs on the machine's clock: a process may die or freeze while its
 * write is under way, and the write lands all the same, or not.
 */
import { z } from 'zod';
import { type Batch, type Connector, type Sink, SinkFault, type Written } from '../../../src/connector.ts';
import type { ChangeRecord } from '../../../src/model/change-record.ts';
import type { Token } from '../../../src/model/position.ts';
import type { Ms, SinkName } from '../../../src/model/units.ts';
import type { VirtualClock } from '../../fakes/virtual-clock.ts';
import { type Dice, dice } from './dice.ts';
import { Ledger } from './ledger.ts';
import type { Life } from './life.ts';
import { behaviours, type Writing } from './moods.ts';
import type { Mood, SinkSketch } from './sink-sketches.ts';

/** One write of one process. */
export interface Write {
  readonly life: Life;
  readonly records: readonly ChangeRecord[];
  /** The process has given it up, or could not since it stands still: what it had sent may land beside a successor's write. Only a target can help it. */
  readonly isLoose: () => boolean;
}

/** Who sees what is done to targets. */
export interface Watch {
  /** A write begins; the returned function is called when nothing of it can land any more. */
  begins(target: Target, write: Write): () => void;
  landed(target: Target, write: Write, records: readonly ChangeRecord[]): void;
  said(what: string): void;
}

export interface TargetParts {
  readonly seed: number;
  readonly sketch: SinkSketch;
  readonly clock: VirtualClock;
  readonly watch: Watch;
}

/** What a dead process had sent may land so long after its death: less than the shortest lease. */
const POSTHUMOUS_MS: Ms = 1_000;

export class Target {
  readonly sketch: SinkSketch;
  readonly ledger = new Ledger();
  readonly dice: Dice;
  readonly clock: VirtualClock;
  mood: Mood = 'well';
  presence: 'on' | 'disabled' | 'absent';
  /** Newest first. */
  names: readonly SinkName[];
  /** Of an archive: the last number of each file, by its first. */
  readonly files = new Map<Token, Token>();
  /** Some close never came back, so the process had to end. */
  wasStuck = false;
  readonly #watch: Watch;

  constructor({ seed, sketch, clock, watch }: TargetParts) {
    this.sketch = sketch;
    this.clock = clock;
    this.#watch = watch;
    this.dice = dice(seed, `target ${sketch.id}`);
    this.names = [sketch.id];
    this.presence = sketch.isFirst ? 'on' : 'absent';
  }

  get name(): SinkName {
    return this.names[0] ?? this.sketch.id;
  }

  get isOrdered(): boolean {
    return this.sketch.traits.order !== 'none';
  }

  get coalesces(): boolean {
    return this.sketch.traits.coalesce === 'latest-per-key';
  }

  connector(life: Life): Connector<unknown> {
    return life.sees({ schema: z.unknown(), traits: () => this.sketch.traits, open: () => this.#open(life) });
  }

  async #open(life: Life): Promise<Sink> {
    const none = new AbortController().signal;
    await this.clock.sleep(this.sketch.isHealthy ? 1 : this.dice.pick([0, 5, 800]), none);
    if (this.mood === 'shut') {
      const heals = this.dice.chance(0.7);
      throw this.dice.chance(0.5) ? new SinkFault('halt', `${this.name} is not there`, { heals }) : new Error('connection refused');
    }
    const closed = new AbortController();
    const sink: Sink = {
      write: (batch, signal) => this.#write(batch, { signal, closed: closed.signal, life }),
      close: () => this.#close(closed),
    };
    return life.sees(sink);
  }

  async #close(closed: AbortController): Promise<void> {
    if (this.mood === 'stuck') {
      this.wasStuck = true;
      return new Promise(() => {});
    }
    closed.abort();
    await this.clock.sleep(this.sketch.isHealthy ? 1 : this.dice.pick([0, 2, 300]), new AbortController().signal);
  }

  async #write(batch: Batch, at: { signal: AbortSignal; closed: AbortSignal; life: Life }): Promise<Written> {
    const { life, signal } = at;
    const begunAt = this.clock.elapsed();
    const isLoose = () => signal.aborted || (life.frozenAt ?? Number.NEGATIVE_INFINITY) >= begunAt;
    const write: Write = { life, records: batch.records, isLoose };
    const over = this.#watch.begins(this, write);
    let isOver = false;
    const writing: Writing = {
      batch,
      wait: (ms, more) => this.#wait(ms, { ...at, deaf: more?.deaf === true }),
      land: records => {
        if (isOver) throw new Error('records landed after their write was over');
        if (records.length > 0) this.#watch.landed(this, write, records);
      },
    };
    try {
      return await behaviours[this.mood](this, writing);
    } finally {
      isOver = true;
      over();
    }
  }

  #wait(
    ms: Ms,
    { signal, closed, life, deaf }: { signal: AbortSignal; closed: AbortSignal; life: Life; deaf: boolean },
  ): ReturnType<Writing['wait']> {
    return new Promise(resolve => {
      const end = (how: 'done' | 'aborted' | 'closed' | 'dead') => {
        cancel();
        unmourn();
        signal.removeEventListener('abort', aborted);
        closed.removeEventListener('abort', shut);
        resolve(how);
      };
      const aborted = () => end('aborted');
      const shut = () => end('closed');
      const died = () => void this.clock.after(this.dice.between(0, POSTHUMOUS_MS), () => end('dead'));
      const cancel = Number.isFinite(ms) ? this.clock.after(ms, () => end('done')) : () => {};
      const unmourn = life.mourn(died);
      if (!deaf) signal.addEventListener('abort', aborted);
      closed.addEventListener('abort', shut);
      if (!life.process.isAlive) died();
      else if (signal.aborted && !deaf) aborted();
      else if (closed.aborted) shut();
    });
  }
}
