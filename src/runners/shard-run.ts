/**
 * One shard that is held here: the run over it and the end of its lease. It ends in one of three ways: every sink has ended; it is asked to stop, drains
 * and gives the lease back; or the right is lost and everything is abandoned at once. A lease is given back only when no write of the run can reach a
 * target any more; a write that does not settle keeps the lease, which is not renewed from then on.
 */
import type { Ms, SinkName } from '../model/units.ts';
import { type PartitionRun, type RunEnd, type RunSinkStatus, startRun } from '../pipeline/run.ts';
import type { RunParts } from '../pipeline/run-parts.ts';
import type { Clock } from '../ports/clock.ts';
import type { LeaseKey } from '../ports/lease-store.ts';
import { partsOfLeaseKey } from '../ports/lease-store.ts';
import type { HeldLease } from '../shards/held-lease.ts';

export interface ShardRunParts {
  readonly lease: HeldLease;
  readonly clock: Clock;
  readonly run: RunParts;
  /** It is over and the lease is no longer ours, or was never given back because something has not settled. */
  readonly over: (run: ShardRun) => void;
  /** Something went wrong that the run did not foresee. */
  readonly failed: (error: unknown) => void;
}

/** After a stop, what still settles on its own does so within this. */
const SETTLE_MS: Ms = 200;

export class ShardRun {
  readonly key: LeaseKey;
  readonly shardId: string;
  readonly startedAt: Ms;
  readonly #parts: ShardRunParts;
  /** No more reading or saving from now on. */
  readonly #ending = new AbortController();
  #run: PartitionRun | undefined;
  #hadNoRoomAt = Number.NEGATIVE_INFINITY;
  #gone: Promise<'released' | 'unsettled' | 'lost'> | undefined;

  constructor(parts: ShardRunParts) {
    this.#parts = parts;
    this.key = parts.lease.key;
    this.shardId = partsOfLeaseKey(parts.lease.key).shardId;
    this.startedAt = parts.clock.elapsed();
  }

  /** Aborts when the run ends in whatever way: for what is done beside it. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  get checkpointAgeMs(): Ms {
    return this.#run?.checkpointAgeMs ?? 0;
  }

  /** It has had an answer, or asks for none. */
  get isOpened(): boolean {
    return this.#run !== undefined && (this.#run.lastAnswerAt !== undefined || this.#run.waitsForRoom);
  }

  /** How long nothing has answered though something was asked for. */
  get silentMs(): Ms {
    if (this.#run === undefined || this.#run.waitsForRoom) return 0;
    return this.#parts.clock.elapsed() - Math.max(this.#run.lastAnswerAt ?? this.startedAt, this.#hadNoRoomAt);
  }

  /** To be called now and then: a wait for room is no silence, nor is the time just after it. */
  look(): void {
    if (this.#run?.waitsForRoom) this.#hadNoRoomAt = this.#parts.clock.elapsed();
  }

  start(): this {
    this.#begin().catch(this.#parts.failed);
    return this;
  }

  admit(sink: SinkName): void {
    this.#run?.admit(sink);
  }

  sinkStatus(sink: SinkName): RunSinkStatus | undefined {
    return this.#run?.sinkStatus(sink);
  }

  /** Drains, saves and gives the lease back, or to a worker. */
  stop(drainMs: Ms, to?: string): Promise<'released' | 'unsettled' | 'lost'> {
    this.#gone ??= this.#leave(drainMs, to);
    return this.#gone;
  }

  /** The right is gone: nothing is written or saved any more. Resolves when nothing of it can reach a target. */
  async abandon(): Promise<void> {
    this.#ending.abort();
    this.#gone ??= Promise.resolve('lost');
    this.#run?.fence();
    this.#parts.over(this);
    await this.#run?.settled();
  }

  async #begin(): Promise<void> {
    const run = await startRun(this.#parts.run);
    if (this.#ending.signal.aborted) return run.fence();
    this.#run = run;
    run.done.then(
      end => this.#ended(end),
      (error: unknown) => {
        this.stop(0).catch(this.#parts.failed);
        this.#parts.failed(error);
      },
    );
  }

  #ended(end: RunEnd): void {
    if (end !== 'ended' || this.#gone !== undefined) return;
    this.#gone = this.#release(null);
    this.#gone.catch(this.#parts.failed);
  }

  async #leave(drainMs: Ms, to?: string): Promise<'released' | 'unsettled' | 'lost'> {
    await this.#run?.stop(drainMs);
    return this.#release(to);
  }

  async #release(to?: string | null): Promise<'released' | 'unsettled' | 'lost'> {
    this.#ending.abort();
    const { lease, clock } = this.#parts;
    const settled = this.#run?.settled() ?? Promise.resolve();
    const inTime = await Promise.race([settled.then(() => true), clock.sleep(SETTLE_MS, new AbortController().signal).then(() => false)]);
    if (inTime) {
      const answer = await lease.release(to);
      this.#parts.over(this);
      return answer;
    }
    lease.stopRenewing();
    void settled.then(() => lease.release(to)).then(() => this.#parts.over(this), this.#parts.failed);
    return 'unsettled';
  }
}
