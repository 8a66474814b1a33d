/**
 * config/local.yaml as the local world needs it: the addresses of the servers that were started put in, the sinks whose servers are left out taken out,
 * comments kept; and what the file says about names and places, for those who make tables and look at targets.
 */
import { isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';
import type { WorldServers } from './world-servers.ts';

export interface AwsPlace {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface Places {
  readonly source: AwsPlace & { readonly table: string };
  readonly replica: AwsPlace & { readonly table: string };
  readonly kinesis: AwsPlace & { readonly stream: string };
  readonly kafka: { readonly brokers: readonly string[]; readonly topic: string } | undefined;
  readonly s3: (AwsPlace & { readonly bucket: string; readonly prefix: string }) | undefined;
  /** Of the daemon's status page. */
  readonly admin: string;
}

export interface LocalSettings {
  readonly text: string;
  readonly places: Places;
}

export function localSettings(text: string, servers: WorldServers, adminPort: number): LocalSettings {
  const document = parseDocument(text);
  const map = (path: readonly unknown[]): YAMLMap => {
    const node = document.getIn(path);
    if (!isMap(node)) throw new Error(`config/local.yaml has no ${path.join('.')}`);
    return node;
  };
  map(['state']).set('endpoint', servers.source.endpoint);
  map(['admin']).set('port', adminPort);
  const source = map(['pipelines', 0, 'source']);
  source.set('endpoint', servers.source.endpoint);
  const sinks = document.getIn(['pipelines', 0, 'sinks']);
  if (!isSeq<YAMLMap>(sinks)) throw new Error('config/local.yaml has no list of sinks');
  sinks.items = sinks.items.filter(sink => placeSink(sink, servers));
  const sinkOf = (type: string) => sinks.items.find(sink => sink.get('type') === type)?.toJSON();
  return {
    text: document.toString({ lineWidth: 0 }),
    places: {
      source: source.toJSON(),
      replica: sinkOf('replica'),
      kinesis: sinkOf('kinesis'),
      kafka: sinkOf('kafka'),
      s3: sinkOf('s3'),
      admin: `http://127.0.0.1:${adminPort}`,
    },
  };
}

/** Whether its server is there; then it is told the server's address. */
function placeSink(sink: YAMLMap, servers: WorldServers): boolean {
  const addresses: Readonly<Record<string, string | undefined>> = {
    replica: servers.replica.endpoint,
    view: servers.replica.endpoint,
    kinesis: servers.kinesis.endpoint,
    kafka: servers.kafka?.endpoint,
    s3: servers.s3?.endpoint,
  };
  const type = String(sink.get('type'));
  if (!(type in addresses)) return true;
  const address = addresses[type];
  if (!address) return false;
  if (type === 'kafka') sink.setIn(['brokers', 0], address);
  else sink.set('endpoint', address);
  return true;
}
