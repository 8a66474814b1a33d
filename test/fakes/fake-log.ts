/**
 * A target that keeps each change, in memory, with every fault that the contract suite knows, and a connector that writes to it: honest, or with one lie.
 * The suite's own test shows that it passes the honest one and finds each lie.
 */
import { z } from 'zod';
import {
  type Batch,
  type Connector,
  type Failed,
  type Host,
  type Sink,
  SinkFault,
  type Traits,
  type Written,
} from '../../src/connector.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import type { Item } from '../../src/model/item.ts';
import type { Seen, SinkTarget } from '../contract/sink/suite.ts';

export type Lie =
  | 'acks what failed'
  | 'acks half'
  | 'acks what hangs'
  | 'swaps two records of a key'
  | 'sends after the abort'
  | 'ignores the abort'
  | 'names only the first failed record'
  | 'names the wrong record'
  | 'refuses neighbours too'
  | 'refuses without a size'
  | 'halts when throttled'
  | 'does not count throttles'
  | 'retries when denied'
  | 'loses an attribute'
  | 'loses images that are empty'
  | 'writes twice'
  | 'throws when closed twice'
  | 'cannot be opened again'
  | 'never closes while hanging'
  | 'takes any option';

type Fault = 'hang' | 'refuse' | 'loseAnswers' | 'throttle' | 'deny' | 'remove';

const LIMIT = 10_000;

export class FakeLog {
  log: Seen[] = [];
  fault: Fault | undefined;
  failing: readonly ChangeRecord[] = [];

  get target(): SinkTarget {
    const be = (fault: Fault) => async () => {
      this.fault = fault;
      if (fault === 'remove') this.log = [];
    };
    return {
      options: {},
      resource: 'the-log',
      action: 'log:Append',
      readBack: async () => this.log,
      faults: {
        hang: be('hang'),
        refuse: be('refuse'),
        loseAnswers: be('loseAnswers'),
        throttle: be('throttle'),
        deny: be('deny'),
        remove: be('remove'),
        failRecords: async records => {
          this.failing = records;
        },
      },
      heal: async () => {
        this.fault = undefined;
        this.failing = [];
      },
    };
  }
}

const TRAITS: Traits = {
  order: 'key',
  coalesce: 'never',
  oncePerKey: false,
  inFlight: 4,
  batch: { records: 100, bytes: 100_000, waitMs: 0 },
  timeoutMs: 1_000,
};

export function fakeLogConnector(log: () => FakeLog, lie?: Lie): Connector<object> {
  let opened = 0;
  return {
    schema: lie === 'takes any option' ? z.looseObject({}) : z.strictObject({}),
    traits: () => TRAITS,
    open: async (_, host) => {
      opened += 1;
      if (lie === 'cannot be opened again' && opened > 1) throw new Error('already open');
      return new FakeLogSink(log(), host, lie);
    },
  };
}

class FakeLogSink implements Sink {
  readonly #log: FakeLog;
  readonly #host: Host;
  readonly #lie: Lie | undefined;
  readonly #closing = new AbortController();

  constructor(log: FakeLog, host: Host, lie: Lie | undefined) {
    this.#log = log;
    this.#host = host;
    this.#lie = lie;
  }

  async write(batch: Batch, signal: AbortSignal): Promise<Written> {
    try {
      await this.#meetFault(batch, signal);
    } catch (error) {
      if (this.#lie === 'acks what failed') return { failed: [] };
      if (this.#lie === 'acks half') return { failed: [{ index: 0, disposition: 'retry', reason: 'no answer' }] };
      throw error;
    }
    await turn();
    if (signal.aborted) throw new Error('aborted');
    const { failed, kept } = this.#judge(batch);
    this.#append(kept);
    if (this.#log.fault === 'loseAnswers') throw new Error('no answer');
    return { failed };
  }

  async close(): Promise<void> {
    if (this.#lie === 'throws when closed twice' && this.#closing.signal.aborted) throw new Error('closed already');
    this.#closing.abort();
    if (this.#lie === 'never closes while hanging' && this.#log.fault === 'hang') await new Promise(() => {});
  }

  async #meetFault(batch: Batch, signal: AbortSignal): Promise<void> {
    const { fault } = this.#log;
    const lie = this.#lie;
    if (fault === 'hang') await this.#hang(batch, signal);
    if (fault === 'refuse') throw new Error('connection refused');
    if (fault === 'throttle') {
      if (lie !== 'does not count throttles') this.#host.count('throttle', 1);
      throw new SinkFault(lie === 'halts when throttled' ? 'halt' : 'retry', 'slow down');
    }
    if (fault === 'remove') throw new SinkFault('halt', 'the-log is not there', { heals: true });
    if (fault === 'deny') {
      throw new SinkFault(lie === 'retries when denied' ? 'retry' : 'halt', 'no permission for log:Append on the-log', { heals: true });
    }
  }

  async #hang(batch: Batch, signal: AbortSignal): Promise<never> {
    if (this.#lie === 'acks what hangs') throw new SinkFault('reject', 'no answer');
    await new Promise<void>(resolve => {
      if (this.#lie === 'ignores the abort') return;
      for (const each of [signal, this.#closing.signal]) each.addEventListener('abort', () => resolve());
      if (signal.aborted) resolve();
    });
    if (this.#lie === 'sends after the abort') setTimeout(() => this.#append(batch.records), 30);
    throw new Error('aborted');
  }

  #judge({ records }: Batch): { failed: readonly Failed[]; kept: readonly ChangeRecord[] } {
    const failed: Failed[] = [];
    const kept: ChangeRecord[] = [];
    const failedKeys = new Set<string>();
    const lie = this.#lie;
    for (const [index, record] of records.entries()) {
      const isFailing = this.#log.failing.includes(record);
      const isLarge = record.bytes > LIMIT + 1_000;
      if (isFailing || isLarge) failedKeys.add(record.key);
      if (isLarge) {
        failed.push({
          index,
          disposition: 'reject',
          reason: lie === 'refuses without a size' ? 'too large' : `${record.bytes} bytes, limit ${LIMIT}`,
        });
      } else if (isFailing) {
        failed.push({
          index: lie === 'names the wrong record' ? (index + 1) % records.length : index,
          disposition: 'retry',
          reason: 'not now',
        });
      } else if (failedKeys.has(record.key)) {
        if (lie !== 'names only the first failed record') failed.push({ index, disposition: 'retry', reason: 'after a failed one' });
      } else if (lie === 'refuses neighbours too' && records.some(({ bytes }) => bytes > LIMIT + 1_000)) {
        failed.push({ index, disposition: 'reject', reason: `1 beside 1` });
      } else kept.push(record);
    }
    return { failed, kept };
  }

  #append(records: readonly ChangeRecord[]): void {
    const lie = this.#lie;
    const twice = lie === 'writes twice' ? [...records, ...records] : [...records];
    const [first] = twice;
    const second = twice.findIndex((record, index) => index > 0 && record.key === first?.key);
    const other = twice[second];
    if (lie === 'swaps two records of a key' && first && other) [twice[0], twice[second]] = [other, first];
    for (const { eventId, after, before } of twice) {
      if (lie === 'loses images that are empty' && after === undefined && before === undefined) continue;
      this.#log.log.push({ eventId, after: lie === 'loses an attribute' ? withoutProto(after) : after });
    }
  }
}

/** As a program does that copies attributes one by one. */
function withoutProto(item: Item | undefined): Item | undefined {
  if (item === undefined) return undefined;
  const copy: Record<string, Item[string]> = {};
  for (const [name, value] of Object.entries(item)) copy[name] = value;
  return copy;
}

const turn = () => new Promise<void>(resolve => setImmediate(resolve));
