/**
 * Region and endpoint of a service, found as the AWS SDK finds them: the option, AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile, else the
 * service's ordinary endpoint with its partition, dual-stack and FIPS rules. So as not to know these rules a second time, the SDK builds one request
 * that is caught before it leaves; its address and the region it was signed for are the answer.
 */
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient, ListStreamsCommand } from '@aws-sdk/client-dynamodb-streams';
import { KinesisClient, ListStreamsCommand as ListKinesisCommand } from '@aws-sdk/client-kinesis';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import { ServiceFault } from '../ports/service-fault.ts';
import type { AwsOptions } from '../ports/table-api.ts';
import { profileProblem } from './aws-profile.ts';

export type ServiceName = 'dynamodb' | 'streams' | 'kinesis';

export interface Place {
  readonly region: string;
  /** As the signature names it; differs from the region only for the SDK's pretended region `local`. */
  readonly signingRegion: string;
  /** `https://host[:port]`. */
  readonly origin: string;
  /** The Host header, without a default port. */
  readonly host: string;
  /** `/`, or the path of an endpoint that has one. */
  readonly path: string;
}

interface BuiltRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Asks the SDK. Throws a ServiceFault of class `invalid` that says what is missing. */
export async function placeOf(service: ServiceName, options: AwsOptions): Promise<Place> {
  let built: BuiltRequest | undefined;
  const config: ProbeConfig = {
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    maxAttempts: 1,
    requestHandler: {
      handle: async request => {
        built = request;
        throw new Error('caught');
      },
      updateHttpClientConfig: () => {},
      httpHandlerConfigs: () => ({}),
    },
  };
  const probe = PROBES[service](config);
  try {
    await probe.send();
  } catch (error) {
    if (built === undefined) throw unresolved(service, error);
  }
  if (built === undefined) throw new Error('the SDK answered without a request');
  const url = new URL(`${built.protocol}//${built.hostname}${built.port === undefined ? '' : `:${built.port}`}`);
  const region = await probe.region();
  const scope = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(built.headers['authorization'] ?? '');
  return { region, signingRegion: scope?.[1] ?? region, origin: url.origin, host: url.host, path: built.path };
}

interface Probe {
  send(): Promise<unknown>;
  region(): Promise<string>;
}

interface ProbeConfig {
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly maxAttempts: number;
  readonly requestHandler: RequestHandler;
}

/** What the SDK needs of a handler that never answers. */
type RequestHandler = Pick<NodeHttpHandler, 'handle' | 'updateHttpClientConfig' | 'httpHandlerConfigs'>;

const PROBES: Readonly<Record<ServiceName, (config: ProbeConfig) => Probe>> = {
  dynamodb: config => {
    const client = new DynamoDBClient({ ...config, accountIdEndpointMode: 'disabled' });
    return { send: () => client.send(new ListTablesCommand({})), region: () => client.config.region() };
  },
  streams: config => {
    const client = new DynamoDBStreamsClient(config);
    return { send: () => client.send(new ListStreamsCommand({})), region: () => client.config.region() };
  },
  kinesis: config => {
    const client = new KinesisClient(config);
    return { send: () => client.send(new ListKinesisCommand({})), region: () => client.config.region() };
  },
};

function unresolved(service: ServiceName, error: unknown): ServiceFault {
  const why = error instanceof Error ? error.message : String(error);
  const profile = profileProblem(process.env);
  return new ServiceFault(
    'EndpointUnresolved',
    `no address for ${service}: ${why}${profile === undefined ? '' : `; ${profile}`}; set \`region\` (or AWS_REGION), and \`endpoint\` if needed`,
    {
      class: 'invalid',
    },
  );
}
