/** Opens the sink: logs in, reads the topics of all source tables, and joins the parts. What is missing is said before the first record comes. */
import { type Host, SinkFault } from '../../src/connector.ts';
import type { Ms } from '../../src/model/units.ts';
import { type KafkaClient, KafkaClients, type OnPartitions } from './client.ts';
import { failureOf } from './faults.ts';
import { Links } from './links.ts';
import { quietLog } from './log-creator.ts';
import { messageForm } from './messages.ts';
import type { KafkaOptions } from './options.ts';
import { kafkajsSasl } from './sasl.ts';
import { KafkaSink } from './sink.ts';
import { Topics } from './topics.ts';

const OPEN_MS: Ms = 30_000;

export type OpenHost = Pick<Host, 'clock' | 'log' | 'signal' | 'sources' | 'writer'>;

export async function openKafka(options: KafkaOptions, host: OpenHost): Promise<KafkaSink> {
  const sasl = await kafkajsSasl(options.sasl);
  return openWith(options, host, onPartitions => {
    const clients = new KafkaClients(options, sasl, { logCreator: quietLog(host.log, host.clock), onPartitions });
    return () => clients.make();
  });
}

/** `clients`: given who is to be told of partitions, how to make a client. */
export async function openWith(
  options: KafkaOptions,
  host: OpenHost,
  clients: (onPartitions: OnPartitions) => () => KafkaClient,
): Promise<KafkaSink> {
  const { clock, log, signal } = host;
  const make = clients((name, partitions) => topics.named(name)?.see(partitions, false));
  const topics = new Topics({ template: options.topic, create: options.createTopic, make, clock, log, signal });
  const links = new Links({ clock, make, isSound: error => failureOf(error).answered });
  const sink = new KafkaSink({ options, form: messageForm(options, host), topics, links, clock });
  const limit = new AbortController();
  const abort = () => limit.abort();
  const cancel = clock.after(OPEN_MS, abort);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    for (const { table } of host.sources) await sink.look(topics.of(table), limit.signal);
    return sink;
  } catch (error) {
    await sink.close();
    if (limit.signal.aborted) throw new SinkFault('retry', `no answer from ${options.brokers.join(', ')} within ${OPEN_MS / 1000} s`);
    throw error;
  } finally {
    cancel();
    signal.removeEventListener('abort', abort);
  }
}
