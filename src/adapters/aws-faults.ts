/**
 * What a refusal means. Every name that DynamoDB, its streams, Kinesis and STS are known to answer with is given its class here and nowhere else;
 * a name that is not in the table is judged by its HTTP status. Signature faults quote the canonical request with the session token in it, so of
 * those only the first sentence is kept.
 */
import type { EpochMs } from '../model/units.ts';
import { type FaultClass, ServiceFault } from '../ports/service-fault.ts';

const NAMES: Readonly<Record<Exclude<FaultClass, 'aborted'>, readonly string[]>> = {
  throttled: [
    'ProvisionedThroughputExceededException',
    'ProvisionedThroughputExceeded',
    'ThrottlingException',
    'Throttling',
    'ThrottlingError',
    'ThrottledException',
    'RequestThrottled',
    'RequestThrottledException',
    'RequestLimitExceeded',
    'LimitExceededException',
    'TooManyRequestsException',
    'BandwidthLimitExceeded',
    'SlowDown',
    'KMSThrottlingException',
    'TransactionConflictException',
    'TransactionInProgressException',
    'ReplicatedWriteConflictException',
  ],
  expired: [
    'ExpiredTokenException',
    'ExpiredToken',
    'TokenRefreshRequired',
    'RequestExpired',
    'RequestTimeTooSkewed',
    'RequestInTheFuture',
  ],
  network: ['RequestTimeout', 'RequestTimeoutException'],
  server: [
    'InternalServerError',
    'InternalServerException',
    'InternalFailure',
    'InternalFailureException',
    'ServiceUnavailable',
    'ServiceUnavailableException',
  ],
  denied: [
    'AccessDeniedException',
    'AccessDenied',
    'UnauthorizedOperation',
    'NotAuthorized',
    'UnrecognizedClientException',
    'InvalidClientTokenId',
    'InvalidAccessKeyId',
    'MissingAuthenticationToken',
    'MissingAuthenticationTokenException',
    'IncompleteSignature',
    'IncompleteSignatureException',
    'InvalidSignatureException',
    'SignatureDoesNotMatch',
    'AuthFailure',
    'OptInRequired',
    'KMSAccessDeniedException',
    'KMSDisabledException',
    'KMSInvalidStateException',
    'KMSNotFoundException',
    'KMSOptInRequired',
  ],
  missing: ['ResourceNotFoundException', 'TableNotFoundException'],
  condition: ['ConditionalCheckFailedException', 'DuplicateItemException'],
  invalid: ['ValidationException', 'SerializationException', 'ItemCollectionSizeLimitExceededException', 'InvalidArgumentException'],
};

const CLASSES = new Map<string, FaultClass>(
  Object.entries(NAMES).flatMap(([kind, names]) => names.map(name => [name, kind as FaultClass] as const)),
);

/** Faults that say the signature is wrong: where the server's date is far from ours, the clock is. */
const SIGNATURE_FAULTS = new Set([
  'AuthFailure',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
]);

/** Faults that name a key that the service does not know (any more): rotated, or not yet known everywhere. */
const UNKNOWN_KEY_FAULTS = new Set(['UnrecognizedClientException', 'InvalidClientTokenId', 'InvalidAccessKeyId']);

const LONGEST_MESSAGE = 1_000;

export function isSignatureFault(name: string): boolean {
  return SIGNATURE_FAULTS.has(name);
}

export function isUnknownKeyFault(name: string): boolean {
  return UNKNOWN_KEY_FAULTS.has(name);
}

/** An answer that is a refusal, as both clients hand it over. */
export interface Refusal {
  readonly name: string;
  readonly message: string;
  readonly status: number;
  readonly answer: Readonly<Record<string, unknown>>;
  readonly servedAt: EpochMs | undefined;
}

/** The fault of a refusal, classed by name, then by status. */
export function refusalFault(refusal: Refusal): ServiceFault {
  const { name, status, servedAt } = refusal;
  const quotesSecrets = isSignatureFault(name);
  const message = quotesSecrets ? (refusal.message.split(/\n|The Canonical String/, 1)[0] ?? '').trim() : refusal.message;
  return new ServiceFault(name, message.slice(0, LONGEST_MESSAGE), {
    class: classOf(refusal),
    status,
    answer: quotesSecrets ? {} : refusal.answer,
    servedAt,
  });
}

/** The same fault with another class, where more is known than its name says. */
export function reclassed(fault: ServiceFault, kind: FaultClass): ServiceFault {
  const { name, message, status, answer, servedAt } = fault;
  return new ServiceFault(name, message, { class: kind, status, answer, servedAt });
}

export function abortFault(signal: AbortSignal): ServiceFault {
  return new ServiceFault('Aborted', 'the request was aborted by its caller', { class: 'aborted', cause: signal.reason });
}

function classOf({ name, status, answer, message }: Refusal): FaultClass {
  if (name === 'TransactionCanceledException') return classOfReasons(answer);
  if (isSignatureFault(name) && /expired|not yet current/i.test(message)) return 'expired';
  return CLASSES.get(name) ?? classOfStatus(status);
}

/** Of a cancelled transaction: a bad action spoils it for good, a failed condition decides it, anything else was a conflict or a throttle. */
function classOfReasons(answer: Readonly<Record<string, unknown>>): FaultClass {
  const reasons = Array.isArray(answer['CancellationReasons']) ? (answer['CancellationReasons'] as { Code?: string }[]) : [];
  const codes = new Set(reasons.map(reason => reason.Code));
  if (codes.has('ValidationError') || codes.has('ItemCollectionSizeLimitExceeded')) return 'invalid';
  if (codes.has('ConditionalCheckFailed')) return 'condition';
  return 'throttled';
}

function classOfStatus(status: number): FaultClass {
  if (status >= 500) return 'server';
  if (status === 429) return 'throttled';
  if (status === 408) return 'network';
  if (status === 401 || status === 403 || status === 407) return 'denied';
  if (status === 404) return 'missing';
  return 'invalid';
}
