/**
 * What a failure of the client means for the batch, told by the protocol's error names. What is not listed is tried again: the network, a broker that
 * is gone, a leader that has moved, too few replicas.
 */
import { SinkFault } from '../../src/connector.ts';

export interface Failure {
  /** The protocol's name of the error, else the client's. */
  readonly type: string;
  readonly message: string;
  /** A broker said it: the connection is sound. */
  readonly answered: boolean;
}

interface Meaning {
  readonly is: 'rejected' | 'halted' | 'login';
  /** What the operator can do. */
  readonly mend: string;
  /** By itself once it is mended, without a new configuration. */
  readonly heals?: true;
}

const LOGIN: Meaning = { is: 'login', mend: 'check sasl, and that the brokers know the user' };
const TOO_LARGE: Meaning = { is: 'rejected', mend: 'raise max.message.bytes of the topic' };
const NO_CODEC: Meaning = { is: 'halted', mend: 'choose another compression' };

const MEANINGS: Readonly<Record<string, Meaning>> = {
  MESSAGE_TOO_LARGE: TOO_LARGE,
  RECORD_LIST_TOO_LARGE: TOO_LARGE,
  INVALID_RECORD: { is: 'rejected', mend: 'look into the broker’s log for its reason' },
  TOPIC_AUTHORIZATION_FAILED: { is: 'halted', mend: 'grant Write and Describe on the topic', heals: true },
  CLUSTER_AUTHORIZATION_FAILED: { is: 'halted', mend: 'grant the user access to the cluster', heals: true },
  INVALID_TOPIC_EXCEPTION: { is: 'halted', mend: 'choose another topic' },
  INVALID_REPLICATION_FACTOR: {
    is: 'halted',
    mend: 'create the topic by hand: the brokers’ default does not fit the cluster',
    heals: true,
  },
  POLICY_VIOLATION: { is: 'halted', mend: 'create the topic by hand: the cluster’s policy refuses it', heals: true },
  UNSUPPORTED_COMPRESSION_TYPE: NO_CODEC,
  KafkaJSNotImplemented: NO_CODEC,
  UNSUPPORTED_VERSION: { is: 'halted', mend: 'the broker is too old or too new for the client' },
  UNSUPPORTED_FOR_MESSAGE_FORMAT: { is: 'halted', mend: 'the broker is too old for message headers' },
  SASL_AUTHENTICATION_FAILED: LOGIN,
  UNSUPPORTED_SASL_MECHANISM: LOGIN,
  ILLEGAL_SASL_STATE: LOGIN,
  KafkaJSSASLAuthenticationError: LOGIN,
  LoginRefused: LOGIN,
};

/** Errors that say that a topic may have other partitions than we believe, or none. */
const DOUBT: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'Unconfirmed',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
]);

/** Errors that say that a partition is led by another broker than we believe. */
const MOVED: ReadonlySet<string> = new Set([
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'KafkaJSBrokerNotFound',
]);

/** The client came back without an error and without a confirmation. */
export class Unconfirmed extends Error {
  override readonly name = 'Unconfirmed';
}

/** Looks through the client's wrappers for what happened first. */
export function failureOf(error: unknown): Failure {
  let inner: unknown = error;
  while (inner instanceof Error) {
    const { type, name, message, cause } = inner as Error & { type?: unknown };
    const [first] = 'errors' in inner && Array.isArray(inner.errors) ? inner.errors : [];
    if (typeof type === 'string') return { type, message, answered: true };
    if (name in MEANINGS || DOUBT.has(name) || MOVED.has(name)) return { type: name, message, answered: false };
    const next: unknown = first ?? cause;
    if (!(next instanceof Error)) return { type: name, message, answered: false };
    inner = next;
  }
  return { type: 'Error', message: String(inner), answered: false };
}

export const isDoubt = (failure: Failure): boolean => DOUBT.has(failure.type);

/** What other clients of ours believe is out of date too. */
export const isStale = (failure: Failure): boolean => isDoubt(failure) || MOVED.has(failure.type);

export const isLogin = (failure: Failure): boolean => MEANINGS[failure.type]?.is === 'login';

/** `logins`: how many logins in a row have failed, this one included. Rotated credentials and slow directories deserve a second look, not a tenth. */
export function faultOf(failure: Failure, at: { where: string; logins: number }): SinkFault {
  const meaning = MEANINGS[failure.type];
  const text = `${at.where}: ${failure.message} (${failure.type})`;
  if (meaning === undefined) return new SinkFault('retry', text);
  const mended = `${text}; ${meaning.mend}`;
  if (meaning.is === 'rejected') return new SinkFault('reject', mended, { judged: true });
  if (meaning.is === 'login') return new SinkFault(at.logins < 3 ? 'retry' : 'halt', mended, { heals: true });
  return new SinkFault('halt', mended, { heals: meaning.heals ?? false });
}
