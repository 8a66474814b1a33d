/**
 * Apache Kafka in KRaft mode, one broker or three, each broker also a controller. Topics are not made by themselves. With three brokers, topics are to
 * have three replicas (two in sync are required), so that one broker may be killed while producing goes on.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from './cache.ts';
import { removeFolder, temporaryFolder } from './child.ts';
import { classPath, javaCommand, javaOptions, needJava } from './java.ts';
import { brokerProperties, LOGGING } from './kafka-files.ts';
import { mavenTree } from './packages.ts';
import { freePort, HOST } from './ports.ts';
import { type Server, startServer } from './server.ts';

const VERSION = '4.1.0';
const JARS = [
  `org.apache.kafka:kafka_2.13:${VERSION}`,
  `org.apache.kafka:kafka-tools:${VERSION}`,
  // Without it the broker says nothing, neither that it is ready nor why it is not.
  'org.apache.logging.log4j:log4j-slf4j-impl:2.24.3',
];
/** Its name in the cache. */
export const KAFKA_CACHE = `kafka-${VERSION}-logging`;
const HEAP_MIB = 384;
// Any will do: clusters never meet.
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qg';

export interface KafkaOptions {
  readonly brokers?: 1 | 3;
  /** Where the brokers listen; default: free ports. */
  readonly ports?: readonly number[];
  /** What they tell clients, so that a proxy may stand between; default: where they listen. */
  readonly advertisedPorts?: readonly number[];
  /** Further broker properties, as `connections.max.idle.ms`. */
  readonly properties?: Readonly<Record<string, string>>;
}

export interface Kafka extends Server {
  /** `host:port` of each, as clients are told. */
  readonly brokers: readonly string[];
  /** SIGKILL and SIGTERM: resolves when the broker has ended. SIGSTOP and SIGCONT: at once. */
  killBroker(index: number, signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again with its data, on its port. */
  restartBroker(index: number): Promise<void>;
}

interface Broker {
  readonly port: number;
  readonly folder: string;
  running: Server | undefined;
}

export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  await needJava('Kafka');
  const jars = await mavenTree(KAFKA_CACHE, JARS);
  const root = temporaryFolder('kafka');
  const brokers: Broker[] = [];
  try {
    brokers.push(...(await layOut(root, options)));
    await Promise.all(brokers.map(broker => format(jars, broker)));
    await Promise.all(brokers.map(broker => start(jars, broker)));
  } catch (error) {
    await stopAll(brokers, root);
    throw error;
  }
  return cluster({ jars, root, brokers, told: options.advertisedPorts ?? brokers.map(({ port }) => port) });
}

function cluster({
  jars,
  root,
  brokers,
  told,
}: {
  jars: string;
  root: string;
  brokers: readonly Broker[];
  told: readonly number[];
}): Kafka {
  const first = at(brokers, 0).running;
  if (!first) throw new Error('The first broker is not running');
  return {
    endpoint: `${HOST}:${told[0]}`,
    port: told[0] ?? 0,
    logFile: first.logFile,
    exited: first.exited,
    brokers: told.map(port => `${HOST}:${port}`),
    async killBroker(index, signal = 'SIGKILL') {
      const { running } = at(brokers, index);
      running?.kill(signal);
      if (signal === 'SIGKILL' || signal === 'SIGTERM') await running?.exited;
    },
    restartBroker: index => start(jars, at(brokers, index)),
    stop: () => stopAll(brokers, root),
    kill: signal => {
      for (const { running } of brokers) running?.kill(signal);
    },
  };
}

function at(brokers: readonly Broker[], index: number): Broker {
  const broker = brokers[index];
  if (!broker) throw new Error(`There is no broker ${index}: there are 0 to ${brokers.length - 1}`);
  return broker;
}

async function layOut(root: string, options: KafkaOptions): Promise<Broker[]> {
  const count = options.brokers ?? 1;
  const free = await freePorts(count * 2);
  const controllers = free.slice(count);
  const ports = options.ports ?? free.slice(0, count);
  return ports.map((port, index) => {
    const folder = join(root, `broker-${index}`);
    mkdirSync(folder);
    const advertised = options.advertisedPorts?.[index] ?? port;
    const place = { id: index + 1, port, advertised, controller: controllers[index] ?? 0, controllers, folder };
    writeFileSync(join(folder, 'server.properties'), brokerProperties(place, options.properties));
    writeFileSync(join(folder, 'log4j2.properties'), LOGGING);
    return { port, folder, running: undefined };
  });
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

function javaArgs(jars: string, folder: string, program: readonly string[]): string[] {
  return [
    ...javaOptions(HEAP_MIB, folder),
    `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`,
    '-cp',
    classPath(jars),
    ...program,
  ];
}

async function format(jars: string, { folder }: Broker): Promise<void> {
  const properties = join(folder, 'server.properties');
  await runTool(javaCommand(), javaArgs(jars, folder, ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', properties]), folder);
}

async function start(jars: string, broker: Broker): Promise<void> {
  broker.running = await startServer({
    name: 'kafka',
    port: broker.port,
    folder: broker.folder,
    command: javaCommand(),
    args: (_port, folder) => javaArgs(jars, folder, ['kafka.Kafka', join(folder, 'server.properties')]),
    readyLine: /Kafka Server started/,
    // Its data goes with it: no need to wait for an orderly end.
    stopSignal: 'SIGKILL',
  });
}

async function stopAll(brokers: readonly Broker[], root: string): Promise<void> {
  await Promise.all(brokers.map(({ running }) => running?.stop()));
  await removeFolder(root);
}
