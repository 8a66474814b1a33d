/** One case's world: a fresh target, the open sink, a script of changes, and the checks. Everything is closed when the case ends, however it ends. */
import { expect } from 'chai';
import { type Batch, type Sink, SinkFault, type Traits, type Written } from '../../../src/connector.ts';
import type { ChangeRecord } from '../../../src/model/change-record.ts';
import { ABORT_MS } from '../../../src/model/delivery.ts';
import type { EpochMs, Ms } from '../../../src/model/units.ts';
import { TableScript } from '../../fakes/records.ts';
import { type TestHost, testHost } from '../../fakes/test-host.ts';
import { type Delivered, type Delivery, deliver, writeInto } from './delivery.ts';
import { expectSeen } from './evidence.ts';
import { outcomeWithin, pause } from './pause.ts';
import type { FaultName, SinkCase, SinkSuite, SinkTarget } from './suite.ts';

export class SinkBench<Options> {
  readonly suite: SinkSuite<Options>;
  readonly target: SinkTarget;
  readonly host: TestHost;
  readonly traits: Traits;
  readonly script: TableScript;
  readonly #options: Options;
  #sink: Sink | undefined;

  constructor(suite: SinkSuite<Options>, target: SinkTarget) {
    this.suite = suite;
    this.target = target;
    this.host = testHost(target.host);
    this.#options = suite.connector.schema.parse(target.options);
    this.traits = suite.connector.traits(this.#options);
    this.script = new TableScript({ startAt: Date.now() - 60_000, attributes: suite.attributes });
  }

  get quietMs(): Ms {
    return this.suite.quietMs ?? 250;
  }

  get sink(): Sink {
    if (this.#sink === undefined) throw new Error('the sink is not open');
    return this.#sink;
  }

  async open(): Promise<void> {
    this.#sink = await this.suite.connector.open(this.#options, this.host);
  }

  async close(): Promise<void> {
    const sink = this.#sink;
    this.#sink = undefined;
    expect(await outcomeWithin(sink?.close() ?? Promise.resolve(), ABORT_MS), 'close settles within 5 s').to.deep.equal({
      value: undefined,
    });
  }

  /** One write, its answer checked. */
  write(batch: Batch, signal: AbortSignal = new AbortController().signal): Promise<Written> {
    return writeInto(this.sink, this.traits.order)(batch, signal);
  }

  /** How batches of this sink are cut. */
  get cut(): Pick<Delivery, 'traits' | 'group'> {
    return { traits: this.traits, group: this.sink.group ?? this.traits.group };
  }

  /** Writes until all is durable. */
  deliver(records: readonly ChangeRecord[] = this.script.records, replayedBefore: EpochMs = 0): Promise<Delivered> {
    return deliver(records, { ...this.cut, write: batch => this.write(batch), replayedBefore });
  }

  async expectArrived(times: 'once' | 'at least once', records: readonly ChangeRecord[] = this.script.records): Promise<void> {
    if (this.suite.promises.keeps === 'nothing') return;
    await pause(this.quietMs);
    const { order } = this.traits;
    expectSeen(await this.target.readBack(), { records, times, order, promises: this.suite.promises });
  }

  /** `once` where a repeated write is harmless. */
  get timesAfterReplay(): 'once' | 'at least once' {
    return this.suite.promises.replay === 'harmless' ? 'once' : 'at least once';
  }

  /** Makes the target have a fault. */
  async fault(name: FaultName, records: readonly ChangeRecord[] = []): Promise<void> {
    const make = this.target.faults?.[name];
    if (make === undefined)
      throw new Error(`the target has no fault "${name}": give it one, or declare in \`cannot\` why it cannot be made`);
    await make(records);
  }

  async heal(): Promise<void> {
    if (this.target.heal === undefined) throw new Error('a target with faults must be able to heal');
    await this.target.heal();
  }

  /** A write that must not succeed: the SinkFault that it throws or, where it reports by index, stands for. An abort ends it after `patienceMs`. */
  async failing(batch: Batch, patienceMs: Ms): Promise<SinkFault> {
    const abort = new AbortController();
    const write = this.write(batch, abort.signal);
    const first = await outcomeWithin(write, patienceMs);
    abort.abort();
    const outcome = first === 'pending' ? await outcomeWithin(write, ABORT_MS) : first;
    if (outcome === 'pending') throw new Error(`a write has not settled ${ABORT_MS / 1000} s after its abort`);
    if ('error' in outcome) return asFault(outcome.error);
    expect(outcome.value.failed.length, 'a failing target: every record is reported as failed').to.equal(batch.records.length);
    const [worst] = outcome.value.failed.toSorted((a, b) => a.disposition.localeCompare(b.disposition));
    return new SinkFault(worst?.disposition ?? 'retry', worst?.reason ?? '');
  }

  /** Ends everything but the target. */
  async stop(): Promise<void> {
    this.host.stop();
    await this.#sink?.close();
  }
}

function asFault(error: unknown): SinkFault {
  if (error instanceof Error && error.name === 'AssertionError') throw error;
  return error instanceof SinkFault ? error : new SinkFault('retry', String(error));
}

/** A case with an open sink. */
export function sinkCase<Options>(suite: SinkSuite<Options>, title: string, body: (bench: SinkBench<Options>) => Promise<void>): SinkCase {
  return {
    title,
    async run() {
      const target = await suite.target();
      try {
        await runOn(target, suite, body);
      } finally {
        await target.stop?.();
      }
    },
  };
}

async function runOn<Options>(
  target: SinkTarget,
  suite: SinkSuite<Options>,
  body: (bench: SinkBench<Options>) => Promise<void>,
): Promise<void> {
  const bench = new SinkBench(suite, target);
  try {
    await bench.open();
    await body(bench);
  } finally {
    await target.heal?.();
    await bench.stop();
  }
}
