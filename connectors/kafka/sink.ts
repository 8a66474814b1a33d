/**
 * The open topic or topics. A batch becomes requests of one topic-partition each, sent one after another; what has been confirmed is durable, what
 * comes after a failed request is given back. Confirmed means: the answer names the partition that was sent to, without an error (K1).
 */
import type { RecordMetadata } from 'kafkajs';
import { type Batch, type Failed, type Sink, SinkFault, type Written } from '../../src/connector.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import type { Key } from '../../src/model/key.ts';
import type { Ms } from '../../src/model/units.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { COMPRESSION } from './client.ts';
import { type Failure, failureOf, faultOf, isDoubt, isLogin, isStale, Unconfirmed } from './faults.ts';
import type { Links } from './links.ts';
import type { MessageForm } from './messages.ts';
import type { KafkaOptions } from './options.ts';
import { messageBytes, type Outgoing, type ProduceRequest, produceRequests } from './requests.ts';
import type { Topic } from './topic.ts';
import type { Topics } from './topics.ts';

export interface KafkaSinkParts {
  readonly options: Pick<KafkaOptions, 'acks' | 'compression' | 'timestamp'>;
  readonly form: MessageForm;
  readonly topics: Topics;
  readonly links: Links;
  readonly clock: Clock;
}

/** How long a leader waits for its followers before it says so itself; less than the time of a write. */
const REPLICATION_MS: Ms = 25_000;

interface Draft {
  readonly topic: Topic;
  readonly outgoing: Outgoing[];
}

export class KafkaSink implements Sink {
  readonly #parts: KafkaSinkParts;
  readonly #looks = new Map<Topic, Promise<void>>();
  readonly #closing = new AbortController();
  #failedLogins = 0;

  constructor(parts: KafkaSinkParts) {
    this.#parts = parts;
  }

  /** The topic-partition, as far as is known now. */
  readonly group = (record: ChangeRecord): string => this.#parts.topics.of(record.source.table).groupOf(this.#parts.form.key(record));

  async write(batch: Batch, signal: AbortSignal): Promise<Written> {
    await this.#lookAtDoubtful(batch, signal);
    const failed: Failed[] = [];
    const requests = this.#drafts(batch, failed).flatMap(({ topic, outgoing }) =>
      produceRequests(outgoing, topic.maxBytes).map(request => ({ topic, request })),
    );
    for (const [at, { topic, request }] of requests.entries()) {
      const fault = await this.#write(topic, request, signal);
      if (fault === undefined) continue;
      const [only, second] = request.messages;
      if (fault.judged && only && !second) failed.push(refused(only, fault));
      else if (at === 0) throw fault;
      failed.push(...givenBack(requests.slice(at), failed, fault));
      break;
    }
    return { failed };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#parts.links.close();
  }

  /** Reads a topic's partitions and limits; also at opening. Writes that need the same wait for the same answer. */
  async look(topic: Topic, signal: AbortSignal): Promise<void> {
    const look =
      this.#looks.get(topic) ?? this.#parts.topics.look(topic, [signal, this.#closing.signal]).finally(() => this.#looks.delete(topic));
    this.#looks.set(topic, look);
    try {
      await look;
    } catch (error) {
      throw error instanceof SinkFault ? error : this.#fault(failureOf(error), topic.name);
    }
  }

  async #lookAtDoubtful(batch: Batch, signal: AbortSignal): Promise<void> {
    const topics = new Set(batch.records.map(record => this.#parts.topics.of(record.source.table)));
    for (const topic of topics) {
      if (!topic.isDoubtful) continue;
      await this.look(topic, signal);
    }
  }

  /** What is to be sent, by topic. A record that can never fit is failed, and so are later ones of its key. */
  #drafts(batch: Batch, failed: Failed[]): Draft[] {
    const { form, topics, clock, options } = this.#parts;
    const drafts = new Map<Topic, Draft>();
    const blocked = new Set<Key>();
    const now = clock.now();
    for (const [index, record] of batch.records.entries()) {
      if (blocked.has(record.key)) {
        failed.push({ index, disposition: 'retry', reason: 'waits for an earlier change of its key' });
        continue;
      }
      const topic = topics.of(record.source.table);
      const { key, contents } = form.encode(record, batch.traceparent?.(record));
      const place = { index, partition: topic.partitionOf(key), key, time: options.timestamp === 'now' ? now : topic.timeOf(record, now) };
      const messages = contents.map(content => ({ ...place, ...content }));
      const tooLarge = this.#tooLarge(messages, topic);
      if (tooLarge === undefined) {
        const draft = drafts.get(topic) ?? { topic, outgoing: [] };
        draft.outgoing.push(...messages);
        drafts.set(topic, draft);
      } else {
        blocked.add(record.key);
        failed.push({ index, disposition: 'reject', reason: tooLarge });
      }
    }
    return [...drafts.values()];
  }

  /** Only a limit that the broker itself has named may refuse a record, and only uncompressed: what compression makes of it the broker sees. */
  #tooLarge(messages: readonly Outgoing[], topic: Topic): string | undefined {
    if (!topic.maxBytesKnown || this.#parts.options.compression !== 'none') return undefined;
    const bytes = Math.max(...messages.map(messageBytes));
    if (bytes <= topic.maxBytes) return undefined;
    return `the message has ${bytes} bytes, topic ${topic.name} takes ${topic.maxBytes} (max.message.bytes)`;
  }

  /** Sends one request. Undefined: it is durable. */
  async #write(topic: Topic, request: ProduceRequest, signal: AbortSignal): Promise<SinkFault | undefined> {
    const now = this.#parts.clock.now();
    let failure = await this.#send(topic, request, signal);
    if (failure?.type === 'INVALID_TIMESTAMP') {
      topic.refuse(Math.min(...request.messages.map(({ time }) => time)), now);
      failure = await this.#send(topic, { ...request, messages: request.messages.map(message => ({ ...message, time: now })) }, signal);
    }
    if (failure === undefined) {
      this.#failedLogins = 0;
      return undefined;
    }
    if (isStale(failure)) this.#parts.links.forget(topic.leaderOf(request.partition));
    const fault = this.#fault(failure, `${topic.name}-${request.partition}`);
    return isDoubt(failure) ? this.#lookAfter(fault, topic, signal) : fault;
  }

  async #send(topic: Topic, request: ProduceRequest, signal: AbortSignal): Promise<Failure | undefined> {
    const { links, options } = this.#parts;
    const { partition } = request;
    const messages = request.messages.map(({ key, value, headers, time }) => ({ key, value, headers, partition, timestamp: String(time) }));
    const produce = {
      topic: topic.name,
      acks: options.acks,
      timeout: REPLICATION_MS,
      compression: COMPRESSION[options.compression],
      messages,
    };
    try {
      await links.use(
        topic.leaderOf(partition),
        async ({ producer }) => confirm(await producer.send(produce), topic.name, partition),
        signal,
      );
      return undefined;
    } catch (error) {
      return failureOf(error);
    }
  }

  /** Whether the topic is there at all: if not, that is the fault. If it cannot be seen now, the next write looks. */
  async #lookAfter(fault: SinkFault, topic: Topic, signal: AbortSignal): Promise<SinkFault> {
    topic.isDoubtful = true;
    return this.look(topic, signal).then(
      () => fault,
      (seen: SinkFault) => (seen.disposition === 'halt' ? seen : fault),
    );
  }

  #fault(failure: Failure, where: string): SinkFault {
    if (isLogin(failure)) this.#failedLogins += 1;
    return faultOf(failure, { where, logins: this.#failedLogins });
  }
}

/** kafkajs may resolve without having sent anything: only an answer for the very partition counts. */
function confirm(answer: readonly RecordMetadata[], topic: string, partition: number): void {
  const confirmed = answer.some(it => it.topicName === topic && it.partition === partition && it.errorCode === 0);
  if (!confirmed || answer.length !== 1) throw new Unconfirmed('the client came back without a confirmation for what was sent');
}

function refused({ index, ...message }: Outgoing, fault: SinkFault): Failed {
  return { index, disposition: 'reject', reason: `${fault.message}; the message has ${messageBytes(message)} bytes` };
}

/** Everything from the failed request on that has not failed already. */
function givenBack(requests: readonly { readonly request: ProduceRequest }[], failed: readonly Failed[], fault: SinkFault): Failed[] {
  const indexes = new Set(requests.flatMap(({ request }) => request.messages.map(({ index }) => index)));
  for (const { index } of failed) indexes.delete(index);
  return [...indexes].map(index => ({ index, disposition: 'retry', reason: fault.message }));
}
