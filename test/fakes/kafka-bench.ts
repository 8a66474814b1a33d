/**
 * What tests against real brokers share: a sink opened on them, a writer that behaves as the pipeline does (one batch in flight per group, retries
 * at the head), and a reader of everything that a topic holds.
 */
import kafkajs, { type KafkaMessage } from 'kafkajs';
import { openKafka } from '../../connectors/kafka/open.ts';
import { optionsSchema } from '../../connectors/kafka/options.ts';
import { systemClock } from '../../src/adapters/system.ts';
import type { Sink, SinkFault } from '../../src/connector.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import type { Log } from '../../src/ports/log.ts';
import { withAdmin } from '../servers/kafka-admin.ts';
import { silentLog } from './pipeline-world.ts';

const never = new AbortController().signal;

export function openSink(brokers: readonly string[], more: object = {}, log: Log = silentLog): ReturnType<typeof openKafka> {
  const options = optionsSchema.parse({ brokers, topic: '{table}', ...more });
  return openKafka(options, {
    writer: 'test/orders',
    clock: systemClock,
    log,
    signal: never,
    sources: [{ table: 'orders', region: 'us-east-1', tableId: 't' }],
  });
}

export interface Delivered {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly eventId: string;
  readonly message: KafkaMessage;
}

/** Everything in the topic, in order of each partition. A group's coordinator may be loading: asked again. */
export async function readTopic(brokers: readonly string[], topic: string, sasl?: object): Promise<Delivered[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await readOnce(brokers, topic, sasl);
    } catch (error) {
      if (tries === 30) throw error;
      await systemClock.sleep(200, never);
    }
  }
}

async function readOnce(brokers: readonly string[], topic: string, sasl?: object): Promise<Delivered[]> {
  const ends = await withAdmin(brokers, admin => admin.fetchTopicOffsets(topic), sasl);
  const missing = new Map(
    ends.filter(({ high, low }) => Number(high) > Number(low)).map(({ partition, high }) => [partition, Number(high) - 1]),
  );
  const delivered: Delivered[] = [];
  if (missing.size === 0) return delivered;
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING, ...sasl });
  const consumer = kafka.consumer({ groupId: `reader-${process.pid}-${systemClock.elapsed()}`, maxWaitTimeInMs: 200 });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
      const eachMessage = async ({ partition, message }: { partition: number; message: KafkaMessage }) => {
        const offset = Number(message.offset);
        const eventId = String(message.headers?.['eventID'] ?? '');
        delivered.push({ partition, offset, key: String(message.key), eventId, message });
        if (offset >= (missing.get(partition) ?? 0)) missing.delete(partition);
        if (missing.size === 0) resolve();
      };
      consumer.run({ eachMessage, autoCommit: false }).catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return delivered;
}

export interface Writer {
  /** Resolves when everything given so far is durable. */
  add(records: readonly ChangeRecord[]): void;
  drained(): Promise<void>;
  readonly faults: readonly SinkFault[];
  /** The longest time in which nothing became durable while something waited. */
  worstPauseMs(): number;
}

/** Writes as the pipeline does; the wait before a retry is short. */
export function writer(sink: Sink, batchRecords = 200, timeoutMs = 30_000): Writer {
  const waiting = new Map<string, ChangeRecord[]>();
  const running = new Map<string, Promise<void>>();
  const faults: SinkFault[] = [];
  let lastAt = 0;
  let worst = 0;
  const write = async (records: ChangeRecord[]): Promise<ChangeRecord[]> => {
    try {
      const { failed } = await sink.write({ records, bytes: 0, replayedBefore: 0 }, AbortSignal.timeout(timeoutMs));
      return failed
        .map(({ index }) => index)
        .sort((a, b) => a - b)
        .flatMap(index => records[index] ?? []);
    } catch (error) {
      faults.push(error as SinkFault);
      return records;
    }
  };
  const drain = async (group: string, queue: ChangeRecord[]) => {
    while (queue.length > 0) {
      const batch = queue.splice(0, batchRecords);
      const back = await write(batch);
      queue.unshift(...back);
      const now = systemClock.elapsed();
      if (back.length < batch.length) {
        worst = Math.max(worst, now - lastAt);
        lastAt = now;
      } else await systemClock.sleep(50 + Math.min(500, faults.length * 5), never);
    }
    running.delete(group);
  };
  return {
    faults,
    worstPauseMs: () => worst,
    add(records) {
      if (running.size === 0) lastAt = systemClock.elapsed();
      for (const record of records) {
        const group = sink.group?.(record) ?? '';
        const queue = waiting.get(group) ?? [];
        waiting.set(group, queue);
        queue.push(record);
        if (!running.has(group))
          running.set(
            group,
            Promise.resolve().then(() => drain(group, queue)),
          );
      }
    },
    async drained() {
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}

/** What was sent and is not there, and keys whose first deliveries are not in the order of sending. */
export function compare(
  sent: readonly ChangeRecord[],
  delivered: readonly Delivered[],
): { lost: number; disordered: string[]; duplicates: number } {
  const seen = new Set(delivered.map(({ eventId }) => eventId));
  const order = new Map(sent.map(({ eventId }, index) => [eventId, index]));
  const last = new Map<string, number>();
  const first = new Set<string>();
  const disordered: string[] = [];
  for (const { key, eventId } of delivered) {
    if (first.has(eventId)) continue;
    first.add(eventId);
    const index = order.get(eventId) ?? -1;
    if (index < (last.get(key) ?? -1)) disordered.push(`${key}: ${eventId}`);
    last.set(key, index);
  }
  return { lost: sent.filter(({ eventId }) => !seen.has(eventId)).length, disordered, duplicates: delivered.length - first.size };
}
