/** What tests ask of a Kafka cluster beside the sink. */
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin, type ITopicConfig } from 'kafkajs';

const PATIENCE_MS = 30_000;
const AGAIN_MS = 100;

export async function withAdmin<T>(brokers: readonly string[], use: (admin: Admin) => Promise<T>, sasl?: object): Promise<T> {
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING, ...sasl });
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Resolves when every partition has a leader that knows it. A broker that has not heard of the topic yet denies that it is there, so nothing it says is believed at once. */
export async function makeTopic(brokers: readonly string[], topic: ITopicConfig): Promise<void> {
  const partitions = topic.replicaAssignment?.length ?? topic.numPartitions ?? 1;
  await withAdmin(brokers, async admin => {
    await until(async () => {
      await admin.createTopics({ topics: [topic], waitForLeaders: false });
      return true;
    });
    await until(async () => {
      const [made] = (await admin.fetchTopicMetadata({ topics: [topic.topic] })).topics;
      if (made?.partitions.length !== partitions || made.partitions.some(({ leader }) => leader < 0)) return false;
      // Each leader is asked: it may not know yet that it is one.
      return (await admin.fetchTopicOffsets(topic.topic)).length === partitions;
    });
  });
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  for (;;) {
    const answer = await isDone().catch((error: unknown) => error);
    if (answer === true) return;
    if (patience.aborted) throw answer instanceof Error ? answer : new Error('the cluster did not do it in time');
    await sleep(AGAIN_MS);
  }
}
