/** What a Kafka broker reads at its start: its properties and its logging. Small threads and buffers, for two cores that others use too. */
import { HOST } from './ports.ts';

export interface BrokerPlace {
  readonly id: number;
  readonly port: number;
  /** The port that clients are told. */
  readonly advertised: number;
  readonly controller: number;
  /** The controller ports of all, this one's included. */
  readonly controllers: readonly number[];
  readonly folder: string;
}

export function brokerProperties(at: BrokerPlace, more: Readonly<Record<string, string>> = {}): string {
  const count = at.controllers.length;
  const properties: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': at.id,
    'controller.quorum.voters': at.controllers.map((port, index) => `${index + 1}@${HOST}:${port}`).join(','),
    listeners: `PLAINTEXT://${HOST}:${at.port},CONTROLLER://${HOST}:${at.controller}`,
    'advertised.listeners': `PLAINTEXT://${HOST}:${at.advertised},CONTROLLER://${HOST}:${at.controller}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': `${at.folder}/log`,
    'offsets.topic.replication.factor': count,
    'offsets.topic.num.partitions': 5,
    'transaction.state.log.replication.factor': count,
    'transaction.state.log.min.isr': Math.min(count, 2),
    'min.insync.replicas': Math.min(count, 2),
    'default.replication.factor': count,
    'broker.session.timeout.ms': 6000,
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': false,
    'num.network.threads': 2,
    'num.io.threads': 4,
    ...more,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

export const LOGGING = `rootLogger.level=INFO
rootLogger.appenderRefs=console
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %m (%c{1})%n
`;
