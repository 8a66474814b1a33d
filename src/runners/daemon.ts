/**
 * The daemon: leased shards, page by page, until it is told to stop. It prepares the state tables, keeps the leases, runs the pipelines, obeys what
 * operators ask, and ends in order: nothing new is taken, everything in flight is finished or given back, sinks are closed.
 */

import type { Status } from '../model/status.ts';
import type { Ms, SinkName } from '../model/units.ts';
import { Budget } from '../pipeline/budget.ts';
import { type LeaseKey, type LeaseRow, partsOfLeaseKey } from '../ports/lease-store.ts';
import type { Gauges } from '../ports/observer.ts';
import { onAbort } from '../ports/on-abort.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { StatusSource } from '../ports/status-source.ts';
import type { HeldLease } from '../shards/held-lease.ts';
import { LeaseKeeper } from '../shards/lease-keeper.ts';
import { listerOf } from '../shards/lease-targets.ts';
import { Membership } from '../shards/membership.ts';
import { daemonGauges } from './daemon-gauges.ts';
import { type DaemonParts, NothingCanRun, Unsettled } from './daemon-parts.ts';
import type { DaemonPlan } from './daemon-plan.ts';
import { daemonStatus, reasonsNotReady } from './daemon-status.ts';
import type { DaemonView } from './daemon-view.ts';
import { KclTakeover } from './kcl-takeover.ts';
import { persist } from './persist.ts';
import { PipelineRunner } from './pipeline-runner.ts';
import { SinkRequests } from './sink-requests.ts';
import { Turns } from './turns.ts';

/** After the drain: for settling, saving and releasing, and for closing. One second in all, with telemetry's flush. */
const LOOPS_MS: Ms = 60;
const SETTLE_MS: Ms = 850;
const CLOSE_MS: Ms = 930;
/** CHILD_SHARDS shares its limit with full listings: ten calls a second for the whole account. */
const CHILDREN_EVERY_MS: Ms = 500;

export interface Daemon extends StatusSource {
  status(): Status;
  notReady(): readonly string[];
  /**
   * Until the signal aborts and everything is finished or given back. Throws NothingCanRun when no pipeline can run as it is set up, Unsettled when
   * some write would not settle at the end, FleetIsAlive when others work on a lease table to take over, else for a mistake of ours.
   */
  run(signal: AbortSignal): Promise<void>;
  gauges(): Gauges;
}

export function daemon(plan: DaemonPlan, parts: DaemonParts): Daemon {
  return new RunningDaemon(plan, parts);
}

class RunningDaemon implements Daemon {
  readonly #plan: DaemonPlan;
  readonly #parts: DaemonParts;
  readonly #takeover: KclTakeover | undefined;
  readonly #keeper: LeaseKeeper;
  readonly #crew: Membership;
  readonly #requests: SinkRequests;
  readonly #pipelines: readonly PipelineRunner[];
  readonly #view: DaemonView;
  /** No more leases, listings or requests. */
  readonly #stopping = new AbortController();
  /** Nothing more at all. */
  readonly #ending = new AbortController();
  readonly #scanned = Promise.withResolvers<void>();
  readonly #surprise = Promise.withResolvers<never>();
  /** Why it ends by itself. */
  #overdue: string | undefined;
  #troubles: readonly string[] = ['the state tables have not answered yet'];

  constructor(plan: DaemonPlan, parts: DaemonParts) {
    this.#plan = plan;
    this.#parts = parts;
    this.#surprise.promise.catch(() => {});
    const sinks = plan.pipelines.reduce((n, { sinks }) => n + sinks.filter(({ enabled }) => enabled).length, 0);
    const budget = new Budget({ limitBytes: plan.limits.memoryBytes, sinks });
    this.#requests = new SinkRequests({ ...parts, sink: (pipeline, sink) => this.#pipeline(pipeline)?.sinks.get(sink) });
    this.#takeover = parts.kcl && new KclTakeover({ ...parts, plan, kcl: parts.kcl });
    this.#crew = this.#makeCrew();
    this.#keeper = this.#makeKeeper();
    const turns = new Turns(parts.clock, CHILDREN_EVERY_MS);
    this.#pipelines = plan.pipelines.map(pipeline => this.#makePipeline(pipeline, { budget, turns }));
    this.#view = {
      plan,
      clock: parts.clock,
      budget,
      keeper: this.#keeper,
      pipelines: this.#pipelines,
      troubles: () => [...this.#troubles, ...[this.#keeper.trouble, this.#requests.trouble].filter(trouble => trouble !== undefined)],
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    const deafen = onAbort(signal, () => this.#stopping.abort());
    try {
      await Promise.race([this.#work(), this.#surprise.promise, this.#loopsGivenUp()]);
      await Promise.race([this.#end(), this.#surprise.promise]);
    } finally {
      deafen();
      this.#stopping.abort();
      this.#ending.abort();
      this.#keeper.close();
      this.#crew.close();
    }
  }

  status() {
    return daemonStatus(this.#view);
  }

  notReady(): readonly string[] {
    return reasonsNotReady(this.#view);
  }

  gauges(): Gauges {
    return daemonGauges(this.#view);
  }

  pause(pipeline: string, sink: SinkName): Promise<'done' | 'unknown'> {
    return this.#ask(pipeline, sink, true);
  }

  resume(pipeline: string, sink: SinkName): Promise<'done' | 'unknown'> {
    return this.#ask(pipeline, sink, false);
  }

  async #ask(pipeline: string, sink: SinkName, paused: boolean): Promise<'done' | 'unknown'> {
    if (!this.#pipeline(pipeline)?.plan.sinks.some(({ name }) => name === sink)) return 'unknown';
    await this.#parts.control.ask(pipeline, sink, paused, this.#ending.signal);
    await this.#requests.look(this.#ending.signal);
    return 'done';
  }

  /** Resolves when it was told to stop. */
  async #work(): Promise<void> {
    const signal = this.#stopping.signal;
    try {
      await this.#prepare(signal);
      const known = Promise.withResolvers<void>();
      const requests = this.#requests.run(known.resolve, signal);
      await Promise.race([known.promise, requests]);
      const keeper = this.#keeper.run(signal);
      await Promise.all([requests, keeper, this.#crew.run(signal), ...this.#pipelines.map(pipeline => pipeline.run(signal))]);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #prepare(signal: AbortSignal): Promise<void> {
    const { leases, control } = this.#parts;
    const insist = { ...this.#parts, what: 'the state tables' };
    await this.#takeover?.check(signal);
    const noted = (store: { prepare(signal: AbortSignal): Promise<void> }) => () =>
      store.prepare(signal).catch((error: unknown) => {
        this.#troubles = [error instanceof Error ? error.message : String(error)];
        throw error;
      });
    await Promise.all([persist(noted(leases), insist, signal), persist(noted(control), insist, signal)]);
    this.#troubles = ['looking whether an application still works on the lease table'];
    await this.#takeover?.watch(signal);
    this.#troubles = [];
  }

  /** Loops end when they are asked to; one that waits for a server that is away must not hold up the stop. */
  async #loopsGivenUp(): Promise<void> {
    await new Promise<void>(resolve => onAbort(this.#stopping.signal, resolve));
    await this.#parts.clock.sleep(LOOPS_MS, this.#ending.signal);
  }

  /** Everything in flight is finished or given back, within the drain and a second. */
  async #end(): Promise<void> {
    const { clock, log } = this.#parts;
    const { drainMs } = this.#plan.limits;
    const within = (ms: Ms) => clock.sleep(drainMs + ms, this.#ending.signal).then(() => false);
    const last = within(CLOSE_MS);
    this.#keeper.leave();
    const told = this.#crew.drain(this.#ending.signal);
    const ended = Promise.all(this.#pipelines.map(pipeline => pipeline.stop(drainMs))).then(ends => ends.every(settled => settled));
    const settled = await Promise.race([ended, within(SETTLE_MS)]);
    const closed = this.#pipelines.flatMap(({ sinks }) => [...sinks.values()].map(sink => sink.close()));
    await Promise.race([Promise.all([...closed, told.then(() => this.#leave())]), last]);
    if (this.#overdue !== undefined) throw new Unsettled(this.#overdue);
    if (settled) return;
    log.error({}, 'some writes have not settled; their leases are left to expire');
    throw new Unsettled('some writes have not settled within the time for stopping; their leases are left to expire');
  }

  /** What comes too late is found by the others: the row's beat stands still, and leases expire. */
  async #leave(): Promise<void> {
    const { signal } = this.#ending;
    await this.#keeper.passOn(signal).catch((error: unknown) => {
      if (!(error instanceof ServiceFault)) throw error;
    });
    await this.#crew.leave(signal);
  }

  #pipeline(name: string): PipelineRunner | undefined {
    return this.#pipelines.find(pipeline => pipeline.name === name);
  }

  #makeCrew(): Membership {
    const { worker, leases, limits } = this.#plan;
    return new Membership({
      ...this.#parts,
      worker,
      weight: limits.weight ?? 1,
      timing: leases,
      serves: () =>
        this.#pipelines
          .flatMap(({ state, streams }) => (state === 'running' ? streams : []))
          .filter(({ isReady }) => isReady)
          .map(({ arn }) => arn),
      unable: () => this.#keeper.unsettled,
      rung: () => this.#keeper.nudge(),
    });
  }

  #makeKeeper(): LeaseKeeper {
    const { leases, observer } = this.#parts;
    const of = (lease: HeldLease) => this.#pipelines.find(pipeline => pipeline.owns(lease.key));
    return new LeaseKeeper({
      ...this.#parts,
      store: leases,
      worker: this.#plan.worker,
      timing: this.#plan.leases,
      crew: this.#crew,
      survey: rows => {
        const worth = new Set(this.#pipelines.flatMap(pipeline => pipeline.survey(rows)));
        this.#scanned.resolve();
        return worth;
      },
      taken: (lease, reason) => {
        const pipeline = of(lease);
        observer.leaseMoved?.(pipeline?.name ?? '', reason);
        pipeline?.take(lease);
      },
      unwanted: lease => of(lease)?.unwanted(lease),
      handOver: (lease, target) => {
        const { streamArn } = partsOfLeaseKey(lease.key);
        of(lease)
          ?.streams.find(({ arn }) => arn === streamArn)
          ?.handOver(lease, target);
      },
      stuck: row => this.#onStuck(row),
      overdue: key => this.#onOverdue(key),
      lost: (lease, reason) => {
        const pipeline = of(lease);
        observer.leaseMoved?.(pipeline?.name ?? '', reason);
        pipeline?.lost(lease, reason);
      },
    });
  }

  /** A worker that lives and does not let go is never taken from: it may still read. */
  #onStuck({ key, owner }: LeaseRow): void {
    const { shardId } = partsOfLeaseKey(key);
    const pipeline = this.#pipelines.find(one => one.owns(key));
    this.#parts.observer.leaseMoved?.(pipeline?.name ?? '', 'stuck');
    const fields = { pipeline: pipeline?.name, shardId, owner };
    this.#parts.log.error(
      fields,
      "the shard is this worker's by right, and its owner, who is alive, does not hand it over; look at that one",
    );
  }

  /** The others know that this worker cannot take the shard; what keeps it may keep more. */
  #onOverdue(key: LeaseKey): void {
    if (this.#stopping.signal.aborted) return;
    const { shardId } = partsOfLeaseKey(key);
    this.#overdue = `a write has not settled for two lease durations after the lease of ${shardId} was lost`;
    this.#parts.log.error({ shardId }, `${this.#overdue}; this worker gives its leases away and ends`);
    this.#stopping.abort();
  }

  #makePipeline(plan: DaemonPlan['pipelines'][number], shared: { budget: Budget; turns: Turns }): PipelineRunner {
    const { log } = this.#parts;
    return new PipelineRunner({
      ...this.#parts,
      ...shared,
      log: log.child({ pipeline: plan.name, table: plan.source.table }),
      service: this.#plan.name,
      plan,
      apis: this.#parts.source(plan.name),
      keeper: this.#keeper,
      takeover: this.#takeover,
      drainMs: this.#plan.limits.drainMs,
      ending: this.#ending.signal,
      scanned: this.#scanned.promise,
      isPaused: sink => this.#requests.isPaused(plan.name, sink),
      lists: arn => [undefined, this.#plan.worker].includes(listerOf(this.#crew.workers, arn)),
      halted: () => this.#onHalted(),
      fatal: error => this.#surprise.reject(error),
    });
  }

  /** Looking again each minute helps only as long as something else runs, or has run. */
  #onHalted(): void {
    if (!this.#pipelines.every(({ state, hasRun }) => state === 'halted' && !hasRun)) return;
    this.#surprise.reject(new NothingCanRun(this.#pipelines.map(({ name, reason }) => `${name}: ${reason ?? ''}`)));
  }
}
