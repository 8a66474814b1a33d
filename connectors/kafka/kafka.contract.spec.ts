/** The contract suite against a real broker behind a proxy. */
import kafkajs from 'kafkajs';
import { describeSink } from '../../test/contract/describe-sink.ts';
import type { SinkTarget } from '../../test/contract/sink/suite.ts';
import { readTopic } from '../../test/fakes/kafka-bench.ts';
import { KAFKA_CANNOT, KAFKA_PROMISES, seen } from '../../test/fakes/kafka-suite.ts';
import { type Kafka, startKafka } from '../../test/servers/kafka.ts';
import { makeTopic, withAdmin } from '../../test/servers/kafka-admin.ts';
import { freePort } from '../../test/servers/ports.ts';
import { type FaultyProxy, startProxy } from '../../test/servers/proxy.ts';
import kafka from './index.ts';

const { AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes } = kafkajs;

let server: Kafka;
let proxy: FaultyProxy;
let targets = 0;

function acl(topic: string, operation: number, permissionType: number) {
  const resource = { resourceType: AclResourceTypes.TOPIC, resourceName: topic, resourcePatternType: ResourcePatternTypes.LITERAL };
  return { ...resource, principal: 'User:ANONYMOUS', host: '*', operation, permissionType };
}

async function freshTopic(): Promise<SinkTarget> {
  targets += 1;
  const topic = `target-${targets}`;
  const create = () => makeTopic(server.brokers, { topic, numPartitions: 3 });
  await create();
  let isRemoved = false;
  return {
    options: { brokers: server.brokers, topic },
    resource: topic,
    action: 'Write',
    readBack: async () => (await readTopic(server.brokers, topic)).map(({ message }) => seen(message)),
    faults: {
      hang: () => proxy.mode('hang'),
      refuse: () => proxy.mode('refuse'),
      loseAnswers: () => proxy.mode('drop-answers'),
      deny: async () => {
        const describe = acl(topic, AclOperationTypes.DESCRIBE, AclPermissionTypes.ALLOW);
        const write = acl(topic, AclOperationTypes.WRITE, AclPermissionTypes.DENY);
        await withAdmin(server.brokers, async admin => {
          await admin.createAcls({ acl: [describe, write] });
          // The controller has it; the broker obeys a moment later.
          const isKnown = async () =>
            (await admin.describeAcls(acl(topic, AclOperationTypes.ANY, AclPermissionTypes.ANY))).resources.length > 0;
          while (!(await isKnown())) await new Promise(resolve => setTimeout(resolve, 50));
        });
      },
      remove: async () => {
        isRemoved = true;
        await withAdmin(server.brokers, admin => admin.deleteTopics({ topics: [topic] }));
      },
    },
    heal: async () => {
      // Old connections end first: what the proxy held of them is not to arrive.
      await proxy.mode('reset');
      await proxy.mode('pass');
      await withAdmin(server.brokers, admin => admin.deleteAcls({ filters: [acl(topic, AclOperationTypes.ANY, AclPermissionTypes.ANY)] }));
      if (isRemoved) await create();
    },
  };
}

describe('kafka, real', function () {
  this.timeout(60_000);
  before(async () => {
    const port = await freePort();
    proxy = await startProxy(port);
    server = await startKafka({
      ports: [port],
      advertisedPorts: [proxy.port],
      properties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'allow.everyone.if.no.acl.found': 'true',
      },
    });
  });
  afterEach(() => proxy.mode('pass'));
  after(async () => {
    await server?.stop();
    await proxy?.stop();
  });

  describeSink('kafka', {
    connector: kafka,
    sample: { brokers: ['broker:9092'], topic: 'orders' },
    target: freshTopic,
    promises: KAFKA_PROMISES,
    cannot: KAFKA_CANNOT,
  });
});
