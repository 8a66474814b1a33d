/** A table with its stream, the state tables, scripted targets, and daemons over them that can be stopped, killed and frozen. On a virtual clock. */
import type { Batch, Connector, Sink } from '../../src/connector.ts';
import type { ChangeRecord, ViewType } from '../../src/model/change-record.ts';
import type { SinkStatus } from '../../src/model/status.ts';
import type { Ms } from '../../src/model/units.ts';
import type { KclTable } from '../../src/ports/kcl-table.ts';
import { type LeaseStore, leaseKey } from '../../src/ports/lease-store.ts';
import type { Observer } from '../../src/ports/observer.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { type Daemon, daemon } from '../../src/runners/daemon.ts';
import type { PipelinePlan, SinkPlan, SourcePlan } from '../../src/runners/daemon-plan.ts';
import { FakeControlStore } from './fake-control-store.ts';
import type { Fate } from './fake-faults.ts';
import { FakeLeaseStore } from './fake-lease-store.ts';
import type { FakeStream } from './fake-stream.ts';
import type { StreamRules } from './fake-stream-rules.ts';
import { FakeStreams } from './fake-streams.ts';
import { keptLog, TIMING } from './lease-world.ts';
import { Mortal } from './mortal.ts';
import { DELIVERY, ScriptedTarget } from './pipeline-world.ts';
import { seededRandom, virtualClock } from './virtual-clock.ts';

export const SOURCE_PLAN: SourcePlan = {
  table: 'orders',
  region: 'us-east-1',
  startingPosition: 'TRIM_HORIZON',
  pollMs: 250,
  idleMs: 250,
  onGap: 'continue',
  enableStream: false,
};

/** One running daemon. */
export interface Worker {
  readonly daemon: Daemon;
  readonly process: Mortal;
  /** How it ended; undefined while it runs. */
  end: { readonly error?: unknown } | undefined;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  stop(): void;
  sink(name: string): SinkStatus;
}

export interface WorkerPlan {
  readonly source?: Partial<SourcePlan>;
  /** By name; default: every target of the world. */
  readonly sinks?: Readonly<Record<string, Partial<SinkPlan>>>;
  readonly drainMs?: Ms;
  readonly memoryBytes?: number;
  readonly weight?: number;
  /** The lease table as this worker sees it. */
  readonly leases?: LeaseStore;
  /** A lease table to take over. */
  readonly kcl?: KclTable;
  readonly pipelines?: readonly PipelinePlan[];
  /** It was told to stop before it began. */
  readonly isStopped?: boolean;
}

export class DaemonWorld {
  readonly clock = virtualClock();
  readonly random = seededRandom(1);
  readonly log = keptLog();
  readonly streams: FakeStreams;
  readonly targets = new Map<string, ScriptedTarget>();
  leaseFate: (operation: string, key: string) => Fate = () => 'pass';
  controlFate: (operation: string) => Fate = () => 'pass';
  /** Of DescribeTable, of every table or by its name. */
  tableFault: ServiceFault | ((table: string) => ServiceFault | undefined) | undefined;
  /** What DescribeTable answers; the newest stream by default. */
  stream: FakeStream | undefined;
  readonly leases = new FakeLeaseStore({ fate: (operation, key) => this.leaseFate(operation, key), clock: this.clock });
  readonly control = new FakeControlStore({ fate: operation => this.controlFate(operation), clock: this.clock });
  readonly moves: string[] = [];
  /** Of the source, as the observers were told. */
  readsTold = 0;
  readonly workers: Worker[] = [];
  /** Writes of a worker to a shard that it did not own by then. */
  readonly trespasses: string[] = [];

  constructor(rules: Partial<StreamRules> = {}, more: { viewType?: ViewType; roots?: number } = {}) {
    this.streams = new FakeStreams(this.clock, rules);
    this.stream = this.streams.create(more);
  }

  target(name: string, ...args: ConstructorParameters<typeof ScriptedTarget>): ScriptedTarget {
    const target = new ScriptedTarget(...args);
    this.targets.set(name, target);
    return target;
  }

  get now(): FakeStream {
    if (this.stream === undefined) throw new Error('the table has no stream');
    return this.stream;
  }

  start(plan: WorkerPlan = {}): Worker {
    const process = new Mortal(this.clock);
    const stop = new AbortController();
    if (plan.isStopped) stop.abort();
    const observer: Observer = {
      leaseMoved: (_, reason) => void this.moves.push(reason),
      pageRead: () => {
        this.readsTold += 1;
      },
    };
    const work = daemon(
      {
        name: 'shop',
        worker: `worker-${this.workers.length + 1}`,
        leases: TIMING,
        limits: { memoryBytes: plan.memoryBytes ?? 64 * 1024 * 1024, drainMs: plan.drainMs ?? 20_000, weight: plan.weight ?? 1 },
        pipelines: plan.pipelines ?? [this.pipeline(plan, process)],
      },
      {
        clock: process.clock,
        random: this.random,
        log: this.log,
        observer,
        leases: process.sees(plan.leases ?? this.leases),
        control: process.sees(this.control),
        kcl: plan.kcl && process.sees(plan.kcl),
        source: () => ({ tables: process.sees(this.#tables()), streams: process.sees(this.streams) }),
        table: () => noClient(),
        kinesis: () => noClient(),
      },
    );
    const run = work.run(stop.signal).then(
      () => {
        worker.end = {};
      },
      (error: unknown) => {
        worker.end = { error };
      },
    );
    const worker: Worker = {
      daemon: work,
      process,
      end: undefined,
      ended: run,
      stop: () => stop.abort(),
      sink: name => {
        const found = work.status().pipelines[0]?.sinks.find(sink => sink.name === name);
        if (found === undefined) throw new Error(`no sink ${name}`);
        return found;
      },
    };
    this.workers.push(worker);
    return worker;
  }

  pipeline(plan: WorkerPlan, process: Mortal): PipelinePlan {
    const names = plan.sinks === undefined ? [...this.targets.keys()] : Object.keys(plan.sinks);
    return {
      name: 'p',
      source: { ...SOURCE_PLAN, ...plan.source },
      sinks: names.map(name => {
        const target = this.targets.get(name) ?? this.target(name);
        const connector = this.#seenBy(process, target.connector(this.clock));
        return { name, type: 'scripted', enabled: true, options: {}, delivery: DELIVERY, connector, ...plan.sinks?.[name] };
      }),
    };
  }

  /** What a process has sent to a target is on the wire: only the answer needs the process. Every write is held against the lease (law 7). */
  #seenBy(process: Mortal, connector: Connector<unknown>): Connector<unknown> {
    return {
      ...connector,
      open: async (options, host) => {
        const sink = await connector.open(options, host);
        const write: Sink['write'] = (batch, signal) => {
          this.#holdAgainstLease(process, batch);
          return sink.write(batch, signal);
        };
        return process.sees({ ...sink, write });
      },
    };
  }

  #holdAgainstLease(process: Mortal, { records: [first] }: Batch): void {
    if (first === undefined) return;
    const worker = this.workers.findIndex(one => one.process === process) + 1;
    const owner = this.leases.rows.get(leaseKey(first.source.streamArn, first.source.partition))?.owner;
    if (owner !== `worker-${worker}`) this.trespasses.push(`worker-${worker} writes to ${first.source.partition}, which is ${owner}'s`);
  }

  async kill(worker: Worker): Promise<void> {
    worker.process.die();
    await this.clock.advance(0);
  }

  async stopAll(): Promise<void> {
    for (const { process, end, stop } of this.workers) {
      if (end !== undefined || !process.isAlive) continue;
      process.thaw();
      stop();
    }
    await this.clock.advance(30_000);
  }

  /** Writes records over some keys; answers their tokens. */
  write(count: number, keys = 10): string[] {
    return Array.from({ length: count }, (_, n) => this.now.write({ pk: `k${n % keys}` }).token);
  }

  /** Writes at a steady pace for so long; answers the tokens. */
  async load(ms: Ms, { everyMs, count, keys = 10 }: { everyMs: Ms; count: number; keys?: number }): Promise<string[]> {
    const tokens: string[] = [];
    for (let passed = 0; passed < ms; passed += everyMs) {
      tokens.push(...this.write(count, keys));
      await this.clock.advance(everyMs);
    }
    return tokens;
  }

  /** Lease rows that a worker has. */
  ownedBy(worker: Worker): number {
    const id = `worker-${this.workers.indexOf(worker) + 1}`;
    return [...this.leases.rows.values()].filter(({ owner }) => owner === id).length;
  }

  /** Rows that were given from one worker to another. */
  get handed(): number {
    return this.moves.filter(reason => reason === 'handed').length;
  }

  #tables(): TableApi {
    return {
      call: async (name: string, { TableName }: { TableName: string }) => {
        await undefined;
        const fault = typeof this.tableFault === 'function' ? this.tableFault(TableName) : this.tableFault;
        if (fault !== undefined) throw fault;
        if (name !== 'DescribeTable') throw new Error(`the fake table does not know ${name}`);
        const stream = this.stream;
        return {
          Table: {
            TableName,
            TableArn: `arn:aws:dynamodb:us-east-1:000000000000:table/${TableName}`,
            TableId: 'table-id',
            TableStatus: 'ACTIVE',
            KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
            AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
            ...(stream && {
              LatestStreamArn: stream.arn,
              StreamSpecification: { StreamEnabled: true, StreamViewType: stream.parts.viewType },
            }),
          },
        };
      },
    } as unknown as TableApi;
  }
}

function noClient(): never {
  throw new Error('this test lends no client');
}

export function denied(action: string): ServiceFault {
  return new ServiceFault('AccessDeniedException', `not authorized to perform ${action}`, { class: 'denied', status: 400 });
}

export const tokensOf = (records: readonly ChangeRecord[]): string[] => records.map(record => record.token);

/** Every token at least once. */
export function missing(delivered: readonly ChangeRecord[], tokens: readonly string[]): string[] {
  const have = new Set(tokensOf(delivered));
  return tokens.filter(token => !have.has(token));
}
