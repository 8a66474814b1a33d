/**
 * One kafkajs client, configured so that it decides nothing by itself: no retries of a write, no topics made, no partitions chosen, no time limit of its
 * own (the caller's signal is the limit, and destroying the client the means). A client that has failed is thrown away, never mended.
 */
import kafkajs, {
  type Admin,
  type CompressionTypes,
  type KafkaConfig,
  type logCreator,
  type PartitionMetadata,
  type Producer,
} from 'kafkajs';
import { mendKafkajs } from './mends.ts';
import type { KafkaOptions } from './options.ts';
import { Sockets } from './sockets.ts';
import { zstdCodec } from './zstd.ts';

mendKafkajs();
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => zstdCodec;

export const COMPRESSION: Readonly<Record<KafkaOptions['compression'], CompressionTypes>> = {
  none: kafkajs.CompressionTypes.None,
  gzip: kafkajs.CompressionTypes.GZIP,
  zstd: kafkajs.CompressionTypes.ZSTD,
};

const CONNECT_MS = 10_000;

/** What a topic's partitions looked like to the client when it sent something. */
export type OnPartitions = (topic: string, partitions: readonly PartitionMetadata[]) => void;

export interface KafkaClient {
  readonly producer: Pick<Producer, 'connect' | 'send'>;
  readonly admin: Pick<Admin, 'connect' | 'createTopics' | 'describeConfigs' | 'fetchTopicMetadata'>;
  /** One of its connections has ended: whatever the client thinks of that, it is not to be used again. */
  readonly broken: boolean;
  /** Ends its connections at once. With `reset`, nothing that was still to be sent is sent. */
  destroy(how: { reset: boolean }): void;
}

/** Makes clients; each asks first a broker that could be reached when last tried. */
export class KafkaClients {
  readonly #config: Omit<KafkaConfig, 'brokers' | 'socketFactory'>;
  readonly #brokers: readonly string[];
  readonly #onPartitions: OnPartitions;
  /** Addresses that could not be reached, the latest failure last. */
  readonly #unreached = new Set<string>();
  #made = 0;

  constructor(options: KafkaOptions, sasl: KafkaConfig['sasl'], parts: { logCreator: logCreator; onPartitions: OnPartitions }) {
    this.#brokers = options.brokers;
    this.#onPartitions = parts.onPartitions;
    this.#config = {
      clientId: options.clientId,
      ...(options.ssl === false ? {} : { ssl: options.ssl as NonNullable<KafkaConfig['ssl']> }),
      ...(sasl && { sasl }),
      connectionTimeout: CONNECT_MS,
      authenticationTimeout: CONNECT_MS,
      enforceRequestTimeout: false,
      // Of connecting, not of writing: each broker of the list is tried once.
      retry: { retries: options.brokers.length - 1, initialRetryTime: 50 },
      logLevel: kafkajs.logLevel.WARN,
      logCreator: parts.logCreator,
    };
  }

  make(): KafkaClient {
    const sockets = new Sockets((address, reached) => this.#reach(address, reached));
    const kafka = new kafkajs.Kafka({ ...this.#config, brokers: this.#seeds(), socketFactory: sockets.factory });
    const createPartitioner = () => this.#observe;
    return {
      producer: kafka.producer({ createPartitioner, retry: { retries: 0 }, allowAutoTopicCreation: false, maxInFlightRequests: 1 }),
      admin: kafka.admin({ retry: { retries: 0 } }),
      get broken() {
        return sockets.broken;
      },
      destroy: how => sockets.destroy(how),
    };
  }

  /** Every message names its partition; the call only shows what the client knows of the topic. */
  readonly #observe = (at: { topic: string; partitionMetadata: PartitionMetadata[]; message: { partition?: number } }): number => {
    if (at.message.partition === undefined) throw new Error('a message without a partition');
    this.#onPartitions(at.topic, at.partitionMetadata);
    return at.message.partition;
  };

  /** In turns, so that the brokers share the asking. */
  #seeds(): string[] {
    const turn = this.#made++ % this.#brokers.length;
    const turned = [...this.#brokers.slice(turn), ...this.#brokers.slice(0, turn)];
    const failures = [...this.#unreached];
    return turned.sort((a, b) => failures.indexOf(a) - failures.indexOf(b));
  }

  #reach(address: string, reached: boolean): void {
    this.#unreached.delete(address);
    if (!reached) this.#unreached.add(address);
  }
}
