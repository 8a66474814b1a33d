/**
 * Start-up in mode kcl-takeover. First, for the process: nobody else may work on the lease table. Then, for each pipeline, before anything of it is read:
 * the rows of its stream become leases of ours. Each is written once, with the place of every sink that has none of its own yet, the owner is stripped,
 * and only when all rows say where a sink goes on is that sink written down as begun; so a crash in between begins again with the same. After that
 * the daemon goes on as after any other start.
 */
import type { Gap } from '../model/page.ts';
import type { Position } from '../model/position.ts';
import type { Ms, SinkName } from '../model/units.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { ControlStore, SinkStart } from '../ports/control-store.ts';
import type { KclLease, KclLook, KclTable } from '../ports/kcl-table.ts';
import type { Log } from '../ports/log.ts';
import type { StreamApi, StreamDescription } from '../ports/stream-api.ts';
import { signsOfLife, watchMs } from '../shards/kcl-fleet.ts';
import { inheritedFrontier, inheritedPosition, inheritedRows, missedShards } from '../shards/kcl-takeover.ts';
import { positionKey } from '../shards/sink-positions.ts';
import { NothingCanRun } from './daemon-parts.ts';
import type { PipelinePlan, SinkPlan } from './daemon-plan.ts';
import { persist } from './persist.ts';
import { SourceTrouble } from './source-table.ts';

/** Others work on the lease table. Main ends with 75: once they have stopped, the same start succeeds. */
export class FleetIsAlive extends Error {
  override readonly name = 'FleetIsAlive';
}

export interface KclTakeoverParts {
  readonly kcl: KclTable;
  readonly control: ControlStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Of the service. */
  readonly plan: { readonly leases: { readonly durationMs: Ms }; readonly pipelines: { readonly length: number } };
}

/** A pipeline and its stream. */
export interface TakenOver {
  readonly plan: PipelinePlan;
  readonly streamArn: string;
  readonly streams: StreamApi;
  /** To be durable when it resolves. */
  readonly lost: (partition: string, sinks: readonly SinkName[], gap: Gap) => Promise<void>;
}

const LOOK_MS: Ms = 2_500;
const ROWS_AT_ONCE = 16;
/** Rows that another worker of ours writes at the same time are looked at again; it writes each once. */
const ROUNDS = 5;

export class KclTakeover {
  readonly #parts: KclTakeoverParts;
  /** As of the end of the watch. */
  #seen: KclLook = { leases: [], workers: [] };

  constructor(parts: KclTakeoverParts) {
    this.#parts = parts;
  }

  /** Throws NothingCanRun when there is no such table, for nobody makes one here. */
  async check(signal: AbortSignal): Promise<void> {
    const { kcl } = this.#parts;
    const found = await this.#insist(() => kcl.check(signal), signal);
    if (found === 'there') return;
    const what = found === 'missing' ? 'is not there' : 'is no lease table: its key is not leaseKey';
    throw new NothingCanRun([
      `table ${kcl.name} ${what}; in mode kcl-takeover state.leaseTable names the lease table of a Kinesis Client Library application, which has the application's name`,
    ]);
  }

  /** Resolves when the application's workers must be dead. Throws FleetIsAlive. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock, log, plan, kcl } = this.#parts;
    const first = await this.#look(signal);
    const from = clock.elapsed();
    const wholeMs = watchMs(first, { now: clock.now(), leaseMs: plan.leases.durationMs });
    this.#seen = first;
    if (wholeMs === 0) return;
    log.info({ seconds: Math.round(wholeMs / 1000) }, `looking whether an application still works on lease table ${kcl.name}`);
    while (clock.elapsed() - from < wholeMs) {
      await clock.sleep(Math.min(LOOK_MS, from + wholeMs - clock.elapsed()), signal);
      signal.throwIfAborted();
      await this.#lookAgain(signal);
    }
  }

  /** Before anything of the pipeline is read. Throws SourceTrouble when the table must be another stream's. */
  async begin(of: TakenOver, signal: AbortSignal): Promise<void> {
    const { control, kcl, plan } = this.#parts;
    const description = await of.streams.describe(of.streamArn, signal);
    const starts = await this.#insist(() => control.sinkStarts(of.plan.name, signal), signal);
    const known = await this.#insist(() => control.streams(of.plan.name, signal), signal);
    const heir = { table: kcl.name, description, former: known.map(({ arn }) => arn), pipelines: plan.pipelines.length };
    const sinks = of.plan.sinks.filter(sink => beginsHere(sink, starts));
    for (let round = 1; ; round++) {
      const inherited = inheritedRows((await this.#lookAgain(signal)).leases, heir);
      if ('refused' in inherited) throw new SourceTrouble(inherited.refused);
      const rows = inherited.rows.filter(row => !row.isOurs || row.streamArn === undefined);
      if (rows.length === 0 && round === 1) return;
      if (round === 1) await this.#keepMissed(inherited.rows, of, { description, starts });
      if (rows.length === 0) return await this.#beginSinks(inherited.rows, { of, description, sinks }, signal);
      if (round > ROUNDS) throw new FleetIsAlive(`others write to lease table ${kcl.name} at the same time; stop them and start again`);
      await this.#adopt(rows, { of, description, sinks }, signal);
    }
  }

  /** What sinks that had begun before the application had the table again can not be given any more. */
  async #keepMissed(rows: readonly KclLease[], { lost }: TakenOver, at: { description: StreamDescription; starts: readonly SinkStart[] }) {
    const sinks = at.starts.filter(({ streamArn }) => streamArn === at.description.arn).map(({ sink }) => sink);
    if (sinks.length === 0) return;
    for (const { missed, before } of missedShards(rows, at.description)) {
      const note = `the application read ${missed} before ${before.shardId}, and its row is gone; sinks that had begun before have not had its records`;
      await lost(missed, sinks, { reason: 'shard-gone', at: this.#parts.clock.now(), note });
    }
  }

  async #adopt(rows: readonly KclLease[], { of, description, sinks }: Beginning, signal: AbortSignal): Promise<void> {
    const { kcl, clock } = this.#parts;
    const { servedAt, arn: streamArn } = description;
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
      const writes = rows.slice(at, at + ROWS_AT_ONCE).map(row => {
        const position = inheritedPosition(row, servedAt);
        if (position === undefined) throw new SourceTrouble(notUnderstood(row, kcl.name));
        const positions = new Map<string, Position>(row.positions);
        for (const { name } of sinks) {
          const key = positionKey(of.plan.name, name);
          if (!positions.has(key)) positions.set(key, position);
        }
        const adoption = { streamArn, positions, ...(row.checkpoint === 'SHARD_END' && { endedAt: clock.now() }) };
        return this.#insist(() => kcl.adopt(row, adoption, signal), signal);
      });
      await Promise.all(writes);
    }
  }

  async #beginSinks(rows: readonly KclLease[], { of, description, sinks }: Beginning, signal: AbortSignal): Promise<void> {
    const { control, log, kcl } = this.#parts;
    const count = (checkpoint: string) => rows.filter(row => row.checkpoint === checkpoint).length;
    const counts = { shards: rows.length, ended: count('SHARD_END'), latest: count('LATEST') };
    log.info({ ...counts, pipeline: of.plan.name, leaseTable: kcl.name }, 'the lease table is taken over; its owners are gone');
    for (const { name: sink } of sinks) {
      // A worker with other settings was quicker: this sink has come later, and starts as such.
      if (!rows.every(row => row.positions.has(positionKey(of.plan.name, sink)))) continue;
      const start: SinkStart = {
        pipeline: of.plan.name,
        sink,
        streamArn: description.arn,
        position: 'CHECKPOINT',
        takenAt: description.servedAt,
        frontier: inheritedFrontier(rows, description),
      };
      await this.#insist(() => control.createSinkStart(start, signal), signal);
      log.info({ pipeline: of.plan.name, sink }, `the sink starts after the checkpoints of lease table ${kcl.name}`);
    }
  }

  async #lookAgain(signal: AbortSignal): Promise<KclLook> {
    const look = await this.#look(signal);
    const signs = signsOfLife(this.#seen, look);
    if (signs.length === 0) return look;
    const more = signs.length > 3 ? `, and ${signs.length - 3} more` : '';
    throw new FleetIsAlive(
      `an application of the Kinesis Client Library still works on lease table ${this.#parts.kcl.name}: ${signs.slice(0, 3).join(', ')}${more}; stop all its workers, then start again`,
    );
  }

  #look(signal: AbortSignal): Promise<KclLook> {
    return this.#insist(() => this.#parts.kcl.look(signal), signal);
  }

  #insist<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return persist(ask, { ...this.#parts, what: `the takeover of lease table ${this.#parts.kcl.name}` }, signal);
  }
}

interface Beginning {
  readonly of: TakenOver;
  readonly description: StreamDescription;
  /** That go on where the application was. */
  readonly sinks: readonly SinkPlan[];
}

/** Neither has it begun before, under whatever name, nor does it say where it wants to start. */
function beginsHere({ name, renamedFrom, enabled, startingPosition }: SinkPlan, starts: readonly SinkStart[]): boolean {
  return enabled && startingPosition === undefined && !starts.some(({ sink }) => sink === name || sink === renamedFrom);
}

function notUnderstood({ shardId, checkpoint }: KclLease, table: string): string {
  return `the lease of ${shardId} in table ${table} has the checkpoint ${JSON.stringify(checkpoint)}; expected a sequence number, TRIM_HORIZON, LATEST, AT_TIMESTAMP or SHARD_END`;
}
