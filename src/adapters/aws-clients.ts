/**
 * The AWS clients of the process. Whoever names the same service, region, endpoint, credentials, role and kind of client is given the same one;
 * connections are shared by address, credentials by their source. `close` ends all of them.
 */
import type { Clock, Random } from '../ports/clock.ts';
import type { KinesisApi } from '../ports/kinesis-api.ts';
import type { Log } from '../ports/log.ts';
import type { StreamApi } from '../ports/stream-api.ts';
import type { AwsOptions, TableApi } from '../ports/table-api.ts';
import { ownSource, roleSource } from './aws-credential-sources.ts';
import { CredentialKeeper } from './aws-credentials.ts';
import { type Place, placeOf, type ServiceName } from './aws-endpoint.ts';
import { type StreamCalls, streamApi } from './dynamodb-streams.ts';
import { FastClient } from './fast-client.ts';
import { FastConnections } from './fast-connections.ts';
import { fastKinesis } from './fast-kinesis.ts';
import { fastStreamCalls } from './fast-streams.ts';
import { fastTable } from './fast-table.ts';
import { sdkKinesis } from './sdk-kinesis.ts';
import { sdkStreamCalls } from './sdk-streams.ts';
import { sdkTable } from './sdk-table.ts';
import { timedStreams } from './timed-streams.ts';

export interface AwsClients {
  table(options: AwsOptions): TableApi;
  kinesis(options: AwsOptions): KinesisApi;
  streams(options: AwsOptions): StreamApi;
  /** Breaks what is in flight and frees everything. */
  close(): Promise<void>;
}

export interface AwsClientsHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export function awsClients(host: AwsClientsHost): AwsClients {
  const connections = new FastConnections();
  const keepers = keptOnce<CredentialKeeper>();
  const closing: (() => void)[] = [];
  const closed = <T extends { close(): void }>(client: T): T => {
    closing.push(() => client.close());
    return client;
  };
  const keeperOf = (options: AwsOptions): CredentialKeeper =>
    keepers(sourceName(options), () => closed(newKeeper(options, keeperOf, host)));
  const source = (options: AwsOptions) => ({ keeper: keeperOf(options), clock: host.clock });
  const fastClient = (service: ServiceName, options: AwsOptions) => {
    const place = foundOnce(() => placeOf(service, options));
    return { client: new FastClient(service, { ...source(options), connections, place }), place };
  };

  const tables = keptOnce<TableApi>();
  const kineses = keptOnce<KinesisApi>();
  const streams = keptOnce<StreamApi>();
  const table = (options: AwsOptions) =>
    tables(clientName(options), () =>
      options.client === 'sdk' ? closed(sdkTable(options, source(options))) : fastTable(fastClient('dynamodb', options).client),
    );
  const kinesis = (options: AwsOptions) =>
    kineses(clientName(options), () =>
      options.client === 'sdk' ? closed(sdkKinesis(options, source(options))) : fastKinesis(fastClient('kinesis', options).client),
    );
  const streamCalls = (options: AwsOptions): StreamCalls => {
    const keySchema: StreamCalls['keySchema'] = async (TableName, signal) =>
      (await table(options).call('DescribeTable', { TableName }, signal)).Table.KeySchema;
    if (options.client === 'sdk') return closed(sdkStreamCalls(options, { ...source(options), keySchema }));
    const { client, place } = fastClient('streams', options);
    return fastStreamCalls(client, { keySchema, region: async () => (await place()).region });
  };
  return {
    table,
    kinesis,
    streams: options => streams(clientName(options), () => streamApi(timedStreams(streamCalls(options), host.clock), host.log)),
    async close() {
      for (const close of closing.splice(0)) close();
      await connections.close();
    },
  };
}

function newKeeper(options: AwsOptions, keeperOf: (options: AwsOptions) => CredentialKeeper, host: AwsClientsHost): CredentialKeeper {
  const { roleArn, ...own } = options;
  const source = roleArn === undefined ? ownSource(own) : roleSource({ ...own, roleArn }, keeperOf(own));
  return new CredentialKeeper(source, host);
}

/** Everything that a client's answers depend on. */
function clientName(options: AwsOptions): string {
  return JSON.stringify([options.endpoint, options.client ?? 'fast', options.region, sourceName(options)]);
}

/** Everything that credentials depend on; a role is assumed in a region. */
function sourceName({ credentials, roleArn, externalId, region }: AwsOptions): string {
  const own = credentials && [credentials.accessKeyId, credentials.secretAccessKey, credentials.sessionToken];
  return JSON.stringify(roleArn === undefined ? [own] : [own, roleArn, externalId, region]);
}

function keptOnce<T>(): (name: string, make: () => T) => T {
  const kept = new Map<string, T>();
  return (name, make) => {
    const held = kept.get(name);
    if (held !== undefined) return held;
    const made = make();
    kept.set(name, made);
    return made;
  };
}

/** Found at the first asking and then known; a failure is not kept. */
function foundOnce(find: () => Promise<Place>): () => Place | Promise<Place> {
  let found: Place | undefined;
  let search: Promise<Place> | undefined;
  return () => {
    if (found !== undefined) return found;
    search ??= find().then(
      place => {
        found = place;
        return place;
      },
      error => {
        search = undefined;
        throw error;
      },
    );
    return search;
  };
}
