/** Daemons over a stub stream that is spoken over HTTP, into scripted targets, in real time. State is kept in memory and outlives a daemon. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import { telemetry } from '../../src/adapters/telemetry.ts';
import type { SinkStatus } from '../../src/model/status.ts';
import { type Daemon, daemon } from '../../src/runners/daemon.ts';
import type { SourcePlan } from '../../src/runners/daemon-plan.ts';
import { type AwsStub, startAwsStub } from './aws-stub.ts';
import { SOURCE_PLAN } from './daemon-world.ts';
import { FakeControlStore } from './fake-control-store.ts';
import { FakeLeaseStore } from './fake-lease-store.ts';
import { keptLog, TIMING } from './lease-world.ts';
import { DELIVERY, ScriptedTarget } from './pipeline-world.ts';
import { StubStream } from './stub-stream.ts';

export interface StubRunning {
  readonly work: Daemon;
  /** How it ended, once it has. */
  readonly ended: Promise<{ readonly error?: unknown }>;
  sink(name: string): SinkStatus;
  stop(): Promise<void>;
}

export class StubSourceWorld {
  readonly stream = new StubStream();
  readonly log = keptLog();
  readonly #targets = new Map<string, ScriptedTarget>();
  readonly #telemetry = telemetry({ clock: systemClock, env: {}, version: '0', service: 'shop', worker: 'w' });
  readonly #leases = new FakeLeaseStore({ fate: () => 'pass', clock: systemClock });
  readonly #control = new FakeControlStore({ fate: () => 'pass', clock: systemClock });
  readonly #clients: AwsClients = awsClients({ clock: systemClock, random: systemRandom, log: this.log });
  #stub: AwsStub | undefined;
  #running: StubRunning | undefined;

  constructor(sinks: readonly string[]) {
    const batch = { records: 10, bytes: 1_000_000, waitMs: 0 };
    for (const name of sinks) this.#targets.set(name, new ScriptedTarget({ batch }));
  }

  target(name: string): ScriptedTarget {
    const found = this.#targets.get(name);
    if (found === undefined) throw new Error(`no target ${name}`);
    return found;
  }

  metrics(): Promise<string> {
    return this.#telemetry.metricsText();
  }

  /** One at a time: the one before is stopped. */
  async start(source: Partial<SourcePlan> = {}): Promise<StubRunning> {
    await this.#running?.stop();
    this.#stub ??= await startAwsStub(this.stream.answer);
    const at = { endpoint: this.#stub.endpoint, region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
    const sinks = Array.from(this.#targets, ([name, target]) => {
      const connector = target.connector(systemClock);
      return { name, type: 'scripted', enabled: true, options: {}, delivery: DELIVERY, connector };
    });
    const work = daemon(
      {
        name: 'shop',
        worker: `worker-${systemRandom.uuid()}`,
        leases: TIMING,
        limits: { memoryBytes: 64 * 1024 * 1024, drainMs: 1_000 },
        pipelines: [{ name: 'p', source: { ...SOURCE_PLAN, ...source }, sinks }],
      },
      {
        clock: systemClock,
        random: systemRandom,
        log: this.log,
        observer: this.#telemetry.observer,
        leases: this.#leases,
        control: this.#control,
        source: () => ({ tables: this.#clients.table(at), streams: this.#clients.streams(at) }),
        table: () => this.#clients.table(at),
        kinesis: () => this.#clients.kinesis(at),
      },
    );
    this.#running = runningOf(work);
    return this.#running;
  }

  async close(): Promise<void> {
    await this.#running?.stop();
    await this.#clients.close();
    await this.#stub?.stop();
    await this.#telemetry.close(100);
  }
}

function runningOf(work: Daemon): StubRunning {
  const stop = new AbortController();
  const ended = work.run(stop.signal).then(
    () => ({}),
    (error: unknown) => ({ error }),
  );
  return {
    work,
    ended,
    sink: name => {
      const found = work.status().pipelines[0]?.sinks.find(one => one.name === name);
      if (found === undefined) throw new Error(`no sink ${name}`);
      return found;
    },
    stop: async () => {
      stop.abort();
      await ended;
    },
  };
}

export async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 15_000; !holds(); ) {
    if (Date.now() > deadline) throw new Error('it did not come to hold');
    await sleep(20);
  }
}
