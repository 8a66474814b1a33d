/**
 * Our own thin client for the hot path: JSON over one pool of connections, signed, one attempt, no hidden retry, no timer of its own. It costs a tenth
 * of the SDK's CPU for each request. Items pass as they stand on the wire. A refusal is a ServiceFault; so is an answer that did not come, came in half
 * or came damaged.
 *
 * What it heals by itself is the next request, never this one: refused credentials are dropped, and a clock that is off is corrected by the server's
 * date.
 */
import type { EpochMs, Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import { type Answer, brokenFault, dateOfAnswer, type HttpAnswer, parsedAnswer, refusalOf } from './aws-answers.ts';
import type { CredentialKeeper } from './aws-credentials.ts';
import type { Place, ServiceName } from './aws-endpoint.ts';
import { isSignatureFault, reclassed, refusalFault } from './aws-faults.ts';
import type { FastConnections } from './fast-connections.ts';
import { exchange } from './fast-exchange.ts';
import { Signer } from './fast-signature.ts';

/** What each service calls its operations and its JSON. */
const PROTOCOLS: Readonly<Record<ServiceName, { readonly prefix: string; readonly contentType: string; readonly signingName: string }>> = {
  dynamodb: { prefix: 'DynamoDB_20120810.', contentType: 'application/x-amz-json-1.0', signingName: 'dynamodb' },
  streams: { prefix: 'DynamoDBStreams_20120810.', contentType: 'application/x-amz-json-1.0', signingName: 'dynamodb' },
  kinesis: { prefix: 'Kinesis_20131202.', contentType: 'application/x-amz-json-1.1', signingName: 'kinesis' },
};

/** A server's date further than this from the time we signed with is why a signature is refused. */
const SKEW_MS: Ms = 60_000;

export interface FastHost {
  readonly clock: Clock;
  readonly keeper: CredentialKeeper;
  readonly connections: FastConnections;
  /** Where the service is; asked for with each request, so that it may be found later than the client is made. */
  place(signal: AbortSignal): Place | Promise<Place>;
}

export class FastClient {
  readonly #service: ServiceName;
  readonly #host: FastHost;
  #signer: Signer | undefined;
  #skewMs: Ms = 0;

  constructor(service: ServiceName, host: FastHost) {
    this.#service = service;
    this.#host = host;
  }

  async call(operation: string, request: unknown, signal: AbortSignal): Promise<Answer> {
    const { keeper, connections, clock } = this.#host;
    const found = this.#host.place(signal);
    const place = found instanceof Promise ? await found : found;
    const kept = keeper.get(signal);
    const credentials = kept instanceof Promise ? await kept : kept;
    const { prefix, contentType, signingName } = PROTOCOLS[this.#service];
    this.#signer ??= new Signer({ region: place.signingRegion, service: signingName, host: place.host, path: place.path, contentType });
    const body = Buffer.from(JSON.stringify(request));
    const now = clock.now();
    const skewMs = this.#skewMs;
    const headers = this.#signer.sign(prefix + operation, body, { credentials, at: now + skewMs });
    let answer: HttpAnswer;
    try {
      answer = await exchange(connections.pool(this.#service, place.origin), { path: place.path, headers, body }, signal);
    } catch (error) {
      throw error instanceof ServiceFault ? error : brokenFault(error, `${this.#service} at ${place.origin}`);
    }
    const servedAt = dateOfAnswer(answer);
    if (answer.status !== 200) throw keeper.judged(this.#refusal(answer, { now, skewMs, servedAt }), credentials);
    keeper.worked();
    return { ...parsedAnswer(answer), servedAt: servedAt ?? now };
  }

  /** The fault of a refusal. Where the clock is why, it is corrected by the server's date. */
  #refusal(answer: HttpAnswer, sent: { readonly now: EpochMs; readonly skewMs: Ms; readonly servedAt: EpochMs | undefined }): ServiceFault {
    const { now, skewMs, servedAt } = sent;
    const fault = refusalFault({ ...refusalOf(answer), servedAt });
    if (!isSignatureFault(fault.name) || servedAt === undefined || Math.abs(servedAt - now - skewMs) <= SKEW_MS) return fault;
    this.#skewMs = servedAt - now;
    return reclassed(fault, 'expired');
  }
}
