/** Reads what the brokers say of the topics, makes those that are missing if that is wanted, and says which permission or topic is not there. */
import kafkajs, { type ITopicMetadata } from 'kafkajs';
import { SinkFault } from '../../src/connector.ts';
import type { Ms } from '../../src/model/units.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Log } from '../../src/ports/log.ts';
import { abortable } from './abortable.ts';
import type { KafkaClient } from './client.ts';
import { failureOf } from './faults.ts';
import { Topic } from './topic.ts';

type TopicAdmin = KafkaClient['admin'];

/** A broker that has just started may not know yet what is there, and another may not have heard yet what was made: asked again after so long. */
const LOOK_AGAIN_MS: Ms = 200;
const MADE_WITHIN_MS: Ms = 5_000;

export interface TopicsParts {
  /** Topic of a table; `{table}` stands for its name. */
  readonly template: string;
  readonly create: boolean;
  readonly make: () => KafkaClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the process. */
  readonly signal: AbortSignal;
}

export class Topics {
  readonly #parts: TopicsParts;
  readonly #byTable = new Map<string, Topic>();
  readonly #byName = new Map<string, Topic>();

  constructor(parts: TopicsParts) {
    this.#parts = parts;
  }

  of(table: string): Topic {
    const known = this.#byTable.get(table);
    if (known) return known;
    const name = this.#parts.template.replaceAll('{table}', table);
    const topic = this.#byName.get(name) ?? new Topic(name);
    this.#byName.set(name, topic);
    this.#byTable.set(table, topic);
    return topic;
  }

  named(name: string): Topic | undefined {
    return this.#byName.get(name);
  }

  /** Reads one topic. A missing topic or permission halts the sink until it is there. */
  async look(topic: Topic, signals: readonly AbortSignal[]): Promise<void> {
    const wasThere = topic.partitions > 0;
    if (await this.#ask(topic, { create: this.#parts.create && !wasThere }, signals)) return;
    if (wasThere) {
      await this.#parts.clock.sleep(LOOK_AGAIN_MS, this.#parts.signal);
      if (await this.#ask(topic, { create: this.#parts.create }, signals)) return;
    }
    throw new SinkFault('halt', `topic ${topic.name} does not exist: create it, or set createTopic: true`, { heals: true });
  }

  /** Asks the next broker. False: it knows no such topic. */
  async #ask(topic: Topic, how: { create: boolean }, signals: readonly AbortSignal[]): Promise<boolean> {
    const client = this.#parts.make();
    const read = async () => {
      await client.admin.connect();
      const metadata = (await metadataOf(client.admin, topic.name)) ?? (how.create ? await this.#create(client.admin, topic) : undefined);
      return metadata && { partitions: metadata.partitions, limit: await maxBytes(client.admin, topic.name) };
    };
    try {
      const found = await abortable(read, () => client.destroy({ reset: true }), signals);
      if (found === undefined) return false;
      topic.see(found.partitions, true);
      topic.maxBytes = found.limit ?? topic.maxBytes;
      topic.maxBytesKnown = found.limit !== undefined;
      topic.isDoubtful = false;
      return true;
    } finally {
      client.destroy({ reset: false });
    }
  }

  async #create(admin: TopicAdmin, topic: Topic): Promise<ITopicMetadata> {
    // The client's own wait for leaders throws where a broker has not heard of the topic yet.
    const made = await admin.createTopics({ topics: [{ topic: topic.name }], waitForLeaders: false });
    if (made) this.#parts.log.info({ topic: topic.name }, 'the topic was missing and has been created');
    return this.#made(admin, topic);
  }

  async #made(admin: TopicAdmin, topic: Topic): Promise<ITopicMetadata> {
    const { clock } = this.#parts;
    const until = clock.elapsed() + MADE_WITHIN_MS;
    while (clock.elapsed() < until) {
      const found = await metadataOf(admin, topic.name);
      if (found?.partitions.every(({ leader }) => leader >= 0)) return found;
      await clock.sleep(LOOK_AGAIN_MS, this.#parts.signal);
    }
    throw new SinkFault('retry', `topic ${topic.name} was created and is not there yet`);
  }
}

/** Undefined: there is no such topic. */
async function metadataOf(admin: TopicAdmin, name: string): Promise<ITopicMetadata | undefined> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
    return topics.find(topic => topic.name === name);
  } catch (error) {
    if (failureOf(error).type === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
    throw error;
  }
}

/** `max.message.bytes`, where we may read it. */
async function maxBytes(admin: TopicAdmin, name: string): Promise<number | undefined> {
  const what = { type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames: ['max.message.bytes'] };
  try {
    const { resources } = await admin.describeConfigs({ resources: [what], includeSynonyms: false });
    const value = resources[0]?.configEntries.find(({ configName }) => configName === 'max.message.bytes')?.configValue;
    return value === undefined ? undefined : Number(value);
  } catch (error) {
    if (failureOf(error).answered) return undefined;
    throw error;
  }
}
