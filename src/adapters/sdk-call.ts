/**
 * One call through an AWS SDK client, made to look like one of the fast client: a single attempt, wire-shaped answers, refusals as ServiceFault, the
 * server's date beside. The SDK signs, corrects its clock and finds endpoints by itself; credentials come from our keeper.
 */
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { EpochMs, Ms } from '../model/units.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { AwsOptions } from '../ports/table-api.ts';
import { sdkProvider } from './aws-credential-sources.ts';
import type { CredentialKeeper } from './aws-credentials.ts';
import { abortFault, isSignatureFault, isUnknownKeyFault, reclassed, refusalFault } from './aws-faults.ts';
import { toWire } from './sdk-wire.ts';
import { epochOf } from './system.ts';

/** As the fast client's connections: idle ones are not used again. */
const IDLE_MS: Ms = 20_000;
const CONNECT_MS: Ms = 5_000;
const ANSWER_MS: Ms = 60_000;

/** What every SDK client of the house is opened with. HTTP/1 throughout: the Kinesis client would speak HTTP/2, which proxies and local servers do not. */
export function sdkSettings(options: AwsOptions, keeper: CredentialKeeper) {
  const agent = { keepAlive: true, maxSockets: 256, timeout: IDLE_MS };
  return {
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    credentials: sdkProvider(keeper),
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      httpAgent: agent,
      httpsAgent: agent,
      connectionTimeout: CONNECT_MS,
      requestTimeout: ANSWER_MS,
      throwOnRequestTimeout: true,
    }),
  };
}

export interface SdkAnswer {
  readonly json: unknown;
  /** Of the body, where the server said so. */
  readonly bytes: number | undefined;
  readonly servedAt: EpochMs | undefined;
}

type Headers = Readonly<Record<string, string>>;

/** A command of any of the SDK's clients, as far as we look into it. */
interface Command {
  readonly middlewareStack: {
    add(
      middleware: (next: (args: never) => Promise<{ response: unknown }>) => (args: never) => Promise<unknown>,
      at: { step: 'deserialize' },
    ): void;
  };
}

/** Any of the SDK's clients; each knows its own commands only. */
export interface SdkClient {
  send(command: never, options: { readonly abortSignal: AbortSignal }): Promise<object>;
}

export async function sdkCall(
  command: object,
  { client, keeper }: { readonly client: SdkClient; readonly keeper: CredentialKeeper },
  signal: AbortSignal,
): Promise<SdkAnswer> {
  let headers: Headers = {};
  (command as Command).middlewareStack.add(
    next => async args => {
      const result = await next(args);
      headers = headersOf(result.response);
      return result;
    },
    { step: 'deserialize' },
  );
  const credentials = await keeper.get(signal);
  if (signal.aborted) throw abortFault(signal);
  try {
    const output = await client.send(command as never, { abortSignal: signal });
    keeper.worked();
    const length = headers['content-length'];
    return { json: toWire(output), bytes: length === undefined ? undefined : Number(length), servedAt: epochOf(headers['date']) };
  } catch (error) {
    const fault = signal.aborted ? abortFault(signal) : faultFrom(error);
    if (isUnknownKeyFault(fault.name) || (fault.class === 'expired' && !isSignatureFault(fault.name))) keeper.drop(credentials);
    throw isUnknownKeyFault(fault.name) && keeper.workedLately() ? reclassed(fault, 'expired') : fault;
  }
}

/** An exception of the SDK: a refusal of the service, or no answer. */
interface SdkError extends Error {
  readonly code?: string;
  readonly $fault?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
  readonly $response?: unknown;
}

/** Members of an SDK exception that are not of the answer. */
const OWN_MEMBERS = new Set(['name', 'message', 'stack', 'cause', '$fault', '$metadata', '$response', '$retryable', '$service']);

function faultFrom(error: unknown): ServiceFault {
  if (error instanceof ServiceFault) return error;
  if (!(error instanceof Error)) return new ServiceFault('NoAnswer', String(error), { class: 'network' });
  const { name, message, code, $fault, $metadata = {}, $response } = error as SdkError;
  const { httpStatusCode: status = 0 } = $metadata;
  if ($fault === undefined) return brokenFault({ name, message, code, status }, error);
  const members = Object.entries(error).filter(([member]) => !OWN_MEMBERS.has(member));
  const answer = toWire(Object.fromEntries(members)) as Record<string, unknown>;
  const fault = refusalFault({ name, message, status, answer, servedAt: epochOf(headersOf($response)['date']) });
  return isSignatureFault(name) && $metadata.clockSkewCorrected === true ? reclassed(fault, 'expired') : fault;
}

function brokenFault(
  {
    name,
    message,
    code,
    status,
  }: { readonly name: string; readonly message: string; readonly code: string | undefined; readonly status: number },
  cause: Error,
): ServiceFault {
  if (/region is missing|invalid configuration/i.test(message)) {
    return new ServiceFault('EndpointUnresolved', `${message}; set \`region\` (or AWS_REGION), and \`endpoint\` if needed`, {
      class: 'invalid',
    });
  }
  const known = code ?? (name === 'TimeoutError' ? 'ETIMEDOUT' : undefined);
  const named = known ?? (status > 0 ? 'UnreadableAnswer' : 'NoAnswer');
  return new ServiceFault(named, `no answer: ${message || named}`, { class: 'network', status, cause });
}

function headersOf(response: unknown): Headers {
  return (response as { readonly headers?: Headers } | undefined)?.headers ?? {};
}
