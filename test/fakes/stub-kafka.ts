/**
 * A Kafka cluster behind the connector's client, without a network: topics, partitions, leaders and logs, and a hook that decides what becomes of each
 * request. For the sink's own decisions; that the client and real brokers behave as assumed is shown by the contract suite.
 */
import type { Message, PartitionMetadata } from 'kafkajs';
import type { KafkaClient, OnPartitions } from '../../connectors/kafka/client.ts';

export interface StubSend {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly Message[];
}

/** What becomes of a request: written and confirmed; written, and never answered; neither written nor confirmed; nothing, for ever; or an error. */
export type StubFate = 'written' | 'unanswered' | 'nothing' | 'hang' | Error;

export interface StubClient extends KafkaClient {
  isDestroyed: boolean;
  wasReset: boolean;
  broken: boolean;
  sends: number;
}

interface StubTopic {
  readonly logs: Message[][];
  readonly maxBytes: number | undefined;
  metadata: PartitionMetadata[];
}

export class StubKafka {
  readonly clients: StubClient[] = [];
  readonly sends: StubSend[] = [];
  readonly #topics = new Map<string, StubTopic>();
  #fate: (send: StubSend) => StubFate = () => 'written';
  #connect: () => Error | undefined = () => undefined;
  #listen: OnPartitions = () => {};

  topic(name: string, shape: { partitions: number; maxBytes?: number; leader?: (partition: number) => number }): void {
    const leader = shape.leader ?? (() => 1);
    const logs = Array.from({ length: shape.partitions }, (): Message[] => []);
    this.#topics.set(name, { logs, maxBytes: shape.maxBytes, metadata: logs.map((_, id) => state(id, leader(id))) });
  }

  drop(name: string): void {
    this.#topics.delete(name);
  }

  has(name: string): boolean {
    return this.#topics.has(name);
  }

  log(name: string, partition: number): readonly Message[] {
    return this.#topics.get(name)?.logs[partition] ?? [];
  }

  onSend(fate: (send: StubSend) => StubFate): void {
    this.#fate = fate;
  }

  onConnect(connect: () => Error | undefined): void {
    this.#connect = connect;
  }

  listen(listen: OnPartitions): void {
    this.#listen = listen;
  }

  /** Clients that have not been destroyed. */
  get alive(): number {
    return this.clients.filter(({ isDestroyed }) => !isDestroyed).length;
  }

  readonly make = (): KafkaClient => {
    const connect = async () => {
      const error = this.#connect();
      if (error) throw error;
    };
    const client: StubClient = {
      isDestroyed: false,
      wasReset: false,
      broken: false,
      sends: 0,
      destroy({ reset }) {
        client.wasReset ||= reset && !client.isDestroyed;
        client.isDestroyed = true;
      },
      producer: {
        connect,
        send: async ({ topic, messages }) => {
          client.sends += 1;
          return this.#send({ topic, partition: messages[0]?.partition ?? -1, messages });
        },
      },
      admin: {
        connect,
        fetchTopicMetadata: async (options = { topics: [] }) => ({
          topics: options.topics.map(name => ({ name, partitions: this.#found(name).metadata })),
        }),
        describeConfigs: async ({ resources }) => this.#configs(resources[0]?.name ?? ''),
        createTopics: async ({ topics }) => {
          for (const { topic } of topics) this.topic(topic, { partitions: 1 });
          return true;
        },
      },
    };
    this.clients.push(client);
    return client;
  };

  async #send(send: StubSend) {
    this.sends.push(send);
    const found = this.#found(send.topic);
    this.#listen(send.topic, found.metadata);
    const fate = this.#fate(send);
    if (fate instanceof Error) throw fate;
    if (fate === 'hang') return new Promise<never>(() => {});
    if (fate === 'nothing') return [];
    found.logs[send.partition]?.push(...send.messages);
    if (fate === 'unanswered') return new Promise<never>(() => {});
    return [{ topicName: send.topic, partition: send.partition, errorCode: 0 }];
  }

  #configs(name: string) {
    const { maxBytes } = this.#found(name);
    if (maxBytes === undefined) throw protocolError('TOPIC_AUTHORIZATION_FAILED');
    const entry = {
      configName: 'max.message.bytes',
      configValue: String(maxBytes),
      configSource: 5,
      isDefault: true,
      isSensitive: false,
      readOnly: false,
    };
    return {
      resources: [
        { configEntries: [{ ...entry, configSynonyms: [] }], errorCode: 0, errorMessage: '', resourceName: name, resourceType: 2 },
      ],
      throttleTime: 0,
    };
  }

  #found(name: string): StubTopic {
    const topic = this.#topics.get(name);
    if (!topic) throw protocolError('UNKNOWN_TOPIC_OR_PARTITION');
    return topic;
  }
}

/** As kafkajs throws it when it has no retries left. */
export function protocolError(type: string): Error {
  const inner = Object.assign(new Error(`the broker says ${type}`), { name: 'KafkaJSProtocolError', type, retriable: false });
  return Object.assign(new Error(inner.message, { cause: inner }), { name: 'KafkaJSNumberOfRetriesExceeded' });
}

function state(partitionId: number, leader: number): PartitionMetadata {
  return { partitionErrorCode: 0, partitionId, leader, replicas: [leader], isr: [leader] };
}
