/**
 * The run of one partition: its readings, its sinks, its saves. It knows no AWS, no lease and no wall clock; it is given a reader and a progress.
 * One main reading serves all sinks that keep up, at most one second reading those that do not (law 5); each sink ends, waits and halts by itself.
 *
 * It ends as `ended` (every sink has ended and that is saved), `stopped` (asked to, heads saved) or `lost` (the right to save is gone: nothing is
 * written or saved any more). What it did not foresee rejects `done`.
 */
import type { Position } from '../model/position.ts';
import type { EpochMs, Ms, SinkName } from '../model/units.ts';
import { Bell } from './bell.ts';
import { Feed, type FeedState } from './feed.ts';
import { type Lane, MainReading } from './main-reading.ts';
import type { RunParts } from './run-parts.ts';
import { Saver } from './saver.ts';
import { SecondReading } from './second-reading.ts';
import { SinkRun } from './sink-run.ts';

export type RunEnd = 'ended' | 'stopped' | 'lost';

export interface RunSinkStatus {
  readonly state: FeedState;
  /** When the oldest record that is not durable was made, read or not; null when nothing is outstanding, as far as is known. */
  readonly oldestAt: EpochMs | null;
  readonly open: number;
  readonly stalled: string | null;
  /** What may be saved, and mostly is. */
  readonly position: Position;
}

const AFTER_ABORT_MS: Ms = 600;

export class PartitionRun {
  readonly done: Promise<RunEnd>;
  /** Monotonic time of the last page, an empty one too. */
  lastAnswerAt: Ms | undefined;
  readonly #parts: RunParts;
  readonly #feeds: readonly Feed[];
  readonly #names: ReadonlyMap<SinkName, Feed>;
  readonly #stopReading = new AbortController();
  readonly #main: MainReading;
  readonly #second: SecondReading;
  readonly #saver: Saver;
  readonly #unwatch: (() => void)[];
  readonly #finish: { resolve: (end: RunEnd) => void; reject: (error: unknown) => void };
  #rejoinAsked = false;
  #over = false;

  constructor(parts: RunParts, saved: ReadonlyMap<SinkName, Position>) {
    this.#parts = parts;
    const finish = Promise.withResolvers<RunEnd>();
    this.done = finish.promise;
    this.#finish = finish;
    this.#feeds = parts.sinks.map(sink => this.#feedOf(sink, saved.get(sink.name)));
    this.#names = new Map(this.#feeds.map(feed => [feed.run.sink.name, feed]));
    const lane: Lane = {
      parts,
      feeds: this.#feeds,
      signal: this.#stopReading.signal,
      answered: page => {
        this.lastAnswerAt = parts.clock.elapsed();
        if (page.records.length > 0) for (const feed of this.#feeds) feed.foundNothing = false;
      },
    };
    this.#main = new MainReading(lane, new Bell(), () => this.#second.ring());
    this.#second = new SecondReading(lane, this.#main, () => this.#askRejoin());
    this.#saver = new Saver(
      {
        progress: parts.progress,
        clock: parts.clock,
        heads: () => new Map(this.#feeds.filter(feed => feed.state !== 'waiting').map(feed => [feed.run.sink.name, feed.run.head])),
        onSaved: positions => this.#onSaved(positions),
        onLost: () => this.fence(),
        onError: error => this.#fail(error),
      },
      saved,
    );
    this.#unwatch = parts.sinks.map(sink => sink.watch(() => this.#sinkChanged(sink.name)));
  }

  /** Begins to read. */
  start(): this {
    this.#parts.budget.join(this.#second);
    for (const loop of [this.#main.run(), this.#second.run()]) loop.catch(error => this.#fail(error));
    this.#moved();
    this.#endIfAllHave();
    return this;
  }

  /** How long heads have moved without being saved. */
  get checkpointAgeMs(): Ms {
    return this.#saver.ageMs;
  }

  /** Whether it asks for nothing because no sink has room: a partition that waits so is not one that fails to answer. */
  get waitsForRoom(): boolean {
    return !this.#feeds.some(feed => feed.state !== 'waiting' && !feed.run.isEnding && feed.run.hasRoom);
  }

  /** The parents have ended, durably, for this sink. */
  admit(sink: SinkName): void {
    const feed = this.#names.get(sink);
    if (feed === undefined || feed.state !== 'waiting') return;
    feed.state = 'behind';
    this.#moved();
  }

  sinkStatus(sink: SinkName): RunSinkStatus | undefined {
    const feed = this.#names.get(sink);
    if (feed === undefined) return undefined;
    return {
      state: feed.state,
      oldestAt: feed.oldestAt(this.#main.reading) ?? null,
      open: feed.run.openRecords,
      stalled: feed.run.stalled,
      position: feed.run.head,
    };
  }

  /** Reads no more, finishes what lies below the highest record begun within `drainMs`, saves, and is done. */
  async stop(drainMs: Ms): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#stopReading.abort();
    this.#ring();
    for (const feed of this.#feeds) feed.dropRest();
    const deadline = new AbortController();
    const cancel = this.#parts.clock.after(drainMs, () => deadline.abort());
    const late = Promise.withResolvers<void>();
    const cancelLate = this.#parts.clock.after(drainMs + AFTER_ABORT_MS, () => late.resolve());
    await Promise.race([Promise.all(this.#feeds.map(feed => feed.run.drain(deadline.signal))), late.promise]);
    cancel();
    cancelLate();
    for (const feed of this.#feeds) feed.run.close();
    try {
      await this.#saver.last();
      this.#leave('stopped');
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The right to write is gone: aborts everything, writes and saves nothing more. */
  fence(): void {
    this.#saver.stop();
    this.#abandon();
    this.#leave('lost');
  }

  /** When no write of this run is in flight any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#feeds.map(feed => feed.run.settled()));
  }

  #feedOf(sink: RunParts['sinks'][number], saved: Position | undefined): Feed {
    const parts = this.#parts;
    const position = saved ?? parts.startAt(sink.name);
    const run = new SinkRun({
      sink,
      labels: { ...parts.labels, sink: sink.name, type: sink.type },
      position,
      replayedBefore: parts.replayedBefore,
      traceContextAttribute: parts.traceContextAttribute,
      budget: parts.budget,
      clock: parts.clock,
      random: parts.random,
      log: parts.log,
      observer: parts.observer,
      mayWrite: () => parts.mayWrite?.() ?? true,
      moved: () => this.#moved(),
      onGap: gap => parts.onGap([sink.name], gap),
      failed: error => this.#fail(error),
    });
    const feed = new Feed(run, parts.budget);
    if (saved?.at === 'end') feed.state = 'ended';
    // Until somebody has looked: the time of the last record that is durable.
    if (position.at === 'after') feed.untakenSince = position.changedAt;
    if (feed.state === 'waiting' && parts.admitted.has(sink.name)) feed.state = 'behind';
    return feed;
  }

  #moved(): void {
    if (this.#over) return;
    for (const feed of this.#feeds) if (feed.state === 'behind') feed.pumpRest();
    this.#main.pump();
    this.#ring();
    this.#saver.touch();
    this.#askRejoin();
  }

  #ring(): void {
    this.#main.bell.ring();
    this.#second.ring();
  }

  /** Rejoining is decided on the clock's next turn, never in the one that made it possible. */
  #askRejoin(): void {
    if (this.#rejoinAsked || this.#over || !this.#feeds.some(feed => feed.state === 'behind' && !feed.run.isEnding)) return;
    this.#rejoinAsked = true;
    this.#parts.clock.after(1, () => {
      this.#rejoinAsked = false;
      if (!this.#over) this.#main.rejoin();
    });
  }

  #sinkChanged(name: SinkName): void {
    const feed = this.#names.get(name);
    if (feed === undefined || this.#over) return;
    if (feed.run.sink.state === 'open') feed.run.go();
    else feed.dropRest();
    this.#moved();
  }

  #onSaved(positions: ReadonlyMap<SinkName, Position>): void {
    this.#parts.observer.checkpointSaved?.(this.#parts.labels);
    for (const [name, position] of positions) {
      const feed = this.#names.get(name);
      if (position.at !== 'end' || feed === undefined) continue;
      feed.state = 'ended';
      this.#parts.onEnd(name);
    }
    this.#ring();
    this.#endIfAllHave();
  }

  #endIfAllHave(): void {
    if (this.#over || !this.#feeds.every(feed => feed.state === 'ended')) return;
    this.#saver.stop();
    this.#abandon();
    this.#leave('ended');
  }

  #abandon(): void {
    this.#over = true;
    this.#stopReading.abort();
    this.#ring();
    for (const feed of this.#feeds) {
      feed.dropRest();
      feed.run.close();
    }
  }

  #fail(error: unknown): void {
    this.#saver.stop();
    this.#abandon();
    this.#cleanUp();
    this.#finish.reject(error);
  }

  #leave(end: RunEnd): void {
    this.#cleanUp();
    this.#finish.resolve(end);
  }

  #cleanUp(): void {
    for (const unwatch of this.#unwatch) unwatch();
    this.#parts.budget.leave(this.#second);
  }
}

/** Loads the sinks' positions and begins. */
export async function startRun(parts: RunParts): Promise<PartitionRun> {
  return new PartitionRun(parts, await parts.progress.load()).start();
}
