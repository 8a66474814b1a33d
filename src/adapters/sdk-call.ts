/**
 * One call through an AWS SDK client, made to look like one of the fast client: a single attempt, and a refusal as a ServiceFault. The SDK serialises,
 * signs, sends, corrects its clock and finds endpoints by itself; credentials come from our keeper. Answers are read from their own text, not from the
 * SDK's objects: its deserialiser drops an attribute named `__proto__`, and fails on a failed condition whose item has one.
 */
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { AwsOptions } from '../ports/table-api.ts';
import { type Answer, brokenFault, dateOfAnswer, type HttpAnswer, parsedAnswer, refusalOf } from './aws-answers.ts';
import { sdkProvider } from './aws-credential-sources.ts';
import type { CredentialKeeper } from './aws-credentials.ts';
import { abortFault, isSignatureFault, reclassed, refusalFault } from './aws-faults.ts';

/** As the fast client's connections: idle ones are not used again. */
const IDLE_MS: Ms = 20_000;
const CONNECT_MS: Ms = 5_000;
/** A backstop only: callers bring a signal with a shorter patience. */
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

/** Any of the SDK's clients; each knows its own commands only. */
export interface SdkClient {
  send(command: never, options: { readonly abortSignal: AbortSignal }): Promise<object>;
}

/** What a twin is made of besides its options. */
export interface SdkSource {
  readonly keeper: CredentialKeeper;
  readonly clock: Clock;
}

/** Sends one of the SDK's commands. */
export async function sdkCall(
  command: object,
  { client, keeper, clock }: SdkSource & { readonly client: SdkClient },
  signal: AbortSignal,
): Promise<Answer> {
  const credentials = await keeper.get(signal);
  if (signal.aborted) throw abortFault(signal);
  const answer = watched(command as Command);
  try {
    await client.send(command as never, { abortSignal: signal });
  } catch (error) {
    const fault = signal.aborted ? abortFault(signal) : faultFrom(error, answer());
    throw keeper.judged(fault, credentials);
  }
  keeper.worked();
  const given = answer();
  if (given === undefined) throw new Error('the SDK resolved without an answer');
  return { ...parsedAnswer(given), servedAt: dateOfAnswer(given) ?? clock.now() };
}

interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  body: AsyncIterable<Uint8Array> | Buffer;
}
type Step = (args: never) => Promise<{ readonly response: unknown }>;
interface Command {
  readonly middlewareStack: { add(middleware: (next: Step) => Step, at: { readonly step: 'deserialize'; readonly priority: 'low' }): void };
}

/** Takes the answer's text before the SDK sees it; the SDK is left with as much as it needs to know success from refusal. */
function watched(command: Command): () => HttpAnswer | undefined {
  let answer: HttpAnswer | undefined;
  const take = (next: Step) => async (args: never) => {
    const result = await next(args);
    const response = result.response as SdkResponse;
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk as Uint8Array);
    answer = { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
    const { name, message } = response.statusCode >= 300 ? refusalOf(answer) : {};
    response.body = Buffer.from(JSON.stringify({ __type: name, message }));
    return result;
  };
  command.middlewareStack.add(take, { step: 'deserialize', priority: 'low' });
  return () => answer;
}

function faultFrom(error: unknown, answer: HttpAnswer | undefined): ServiceFault {
  if (error instanceof ServiceFault) return error;
  if (answer !== undefined) {
    const fault = refusalFault({ ...refusalOf(answer), servedAt: dateOfAnswer(answer) });
    return isSignatureFault(fault.name) && wasClockCorrected(error) ? reclassed(fault, 'expired') : fault;
  }
  const message = error instanceof Error ? error.message : String(error);
  if (!/region is missing|invalid configuration/i.test(message)) return brokenFault(error, 'the service');
  return new ServiceFault('EndpointUnresolved', `${message}; set \`region\` (or AWS_REGION), and \`endpoint\` if needed`, {
    class: 'invalid',
  });
}

function wasClockCorrected(error: unknown): boolean {
  return (error as { readonly $metadata?: { readonly clockSkewCorrected?: boolean } }).$metadata?.clockSkewCorrected === true;
}
