/**
 * Credentials that are kept and renewed in time. One fetch is in flight at most; it starts while the old ones are still good (a third of their life
 * before the end, five minutes at most, so that credentials which live ninety seconds work), and the old ones go on meanwhile, also when the service
 * that gives them is away. When they have run out and none can be had, the fault is one of the network: somebody tries again. Credentials that a
 * service refused as expired are dropped, so that the next request is signed with new ones.
 */
import type { EpochMs, Ms } from '../model/units.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import { abortFault, isSignatureFault, isUnknownKeyFault, reclassed } from './aws-faults.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiresAt?: EpochMs | undefined;
}

/** Fetches credentials anew; never from a cache. */
export type CredentialSource = () => Promise<Credentials>;

const LONGEST_MARGIN_MS: Ms = 300_000;
/** However wrong the wall clock is, credentials just fetched are used at least so long. */
const SHORTEST_USE_MS: Ms = 10_000;
/** Credentials refused right after their fetch are not fetched again at once: the source would only give the same. */
const SHORTEST_LIFE_MS: Ms = 1_000;
const FETCH_TIMEOUT_MS: Ms = 15_000;
const LONGEST_BACKOFF_MS: Ms = 5_000;
/** How long after a success an unknown key means a rotation that has not reached us, and no longer a missing permission. */
const ROTATION_MS: Ms = 300_000;

interface Held {
  readonly credentials: Credentials;
  readonly fetchedAt: Ms;
  readonly refreshAt: EpochMs;
  readonly endsAt: EpochMs;
}

export class CredentialKeeper {
  readonly #source: CredentialSource;
  readonly #host: { readonly clock: Clock; readonly random: Random; readonly log: Log };
  readonly #closing = new AbortController();
  #held: Held | undefined;
  #flight: Promise<Credentials> | undefined;
  #failures = 0;
  #notBefore: Ms = 0;
  #lastFault: ServiceFault | undefined;
  #workedAt: Ms | undefined;

  constructor(source: CredentialSource, host: { readonly clock: Clock; readonly random: Random; readonly log: Log }) {
    this.#source = source;
    this.#host = host;
  }

  /** Good credentials at once where there are some, else when they have come; a ServiceFault of class `network` when none can be had. */
  get(signal: AbortSignal): Credentials | Promise<Credentials> {
    const held = this.#held;
    if (held !== undefined) {
      const now = this.#host.clock.now();
      if (now < held.refreshAt) return held.credentials;
      if (now < held.endsAt || this.#host.clock.elapsed() < held.fetchedAt + SHORTEST_USE_MS) {
        this.#fetch().catch(() => {});
        return held.credentials;
      }
    }
    return untilAborted(this.#fetch(), signal);
  }

  /** A service took them. */
  worked(): void {
    this.#workedAt = this.#host.clock.elapsed();
  }

  /**
   * What a refusal of a request that was signed with these means: expired or unknown ones are dropped. A key that is suddenly unknown, a short while
   * after a success, was rotated: that is as good as expired.
   */
  judged(fault: ServiceFault, refused: Credentials): ServiceFault {
    if (isUnknownKeyFault(fault.name)) {
      this.drop(refused);
      const workedLately = this.#workedAt !== undefined && this.#host.clock.elapsed() < this.#workedAt + ROTATION_MS;
      return workedLately ? reclassed(fault, 'expired') : fault;
    }
    if (fault.class === 'expired' && !isSignatureFault(fault.name)) this.drop(refused);
    return fault;
  }

  /** The next request fetches new ones. */
  drop(refused: Credentials): void {
    const held = this.#held;
    if (held?.credentials !== refused || this.#host.clock.elapsed() < held.fetchedAt + SHORTEST_LIFE_MS) return;
    this.#held = undefined;
  }

  close(): void {
    this.#closing.abort();
  }

  #fetch(): Promise<Credentials> {
    if (this.#flight !== undefined) return this.#flight;
    if (this.#lastFault !== undefined && this.#host.clock.elapsed() < this.#notBefore) return Promise.reject(this.#lastFault);
    this.#flight = this.#fetchOnce().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  async #fetchOnce(): Promise<Credentials> {
    const { clock, random, log } = this.#host;
    try {
      const credentials = await this.#withinTime(this.#source());
      this.#failures = 0;
      this.#lastFault = undefined;
      this.#held = heldFrom(credentials, clock);
      return credentials;
    } catch (error) {
      const fault = credentialFault(error);
      this.#lastFault = fault;
      this.#failures += 1;
      const backoffMs = Math.min(LONGEST_BACKOFF_MS, 250 * 2 ** Math.min(this.#failures, 10));
      this.#notBefore = clock.elapsed() + backoffMs * (0.5 + random.next() / 2);
      if (this.#failures === 1 || this.#failures % 10 === 0)
        log.warn({ failures: this.#failures, error: fault.message }, 'no AWS credentials');
      throw fault;
    }
  }

  /** The source's answer, or a fault when it hangs or the house closes. */
  async #withinTime(answer: Promise<Credentials>): Promise<Credentials> {
    const timer = new AbortController();
    const late = this.#host.clock.sleep(FETCH_TIMEOUT_MS, AbortSignal.any([timer.signal, this.#closing.signal])).then((): never => {
      throw new Error(`no answer within ${FETCH_TIMEOUT_MS / 1000} s`);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      late.catch(() => {});
      timer.abort();
    }
  }
}

function heldFrom(credentials: Credentials, clock: Clock): Held {
  const now = clock.now();
  const endsAt = credentials.expiresAt ?? Number.POSITIVE_INFINITY;
  const marginMs = Math.min(LONGEST_MARGIN_MS, Math.max(0, endsAt - now) / 3);
  return { credentials, fetchedAt: clock.elapsed(), refreshAt: endsAt - marginMs, endsAt };
}

function credentialFault(error: unknown): ServiceFault {
  const why = error instanceof Error ? error.message : String(error);
  return new ServiceFault(
    'CredentialsUnavailable',
    `no AWS credentials could be loaded (${why}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, a role, or \`credentials\``,
    { class: 'network' },
  );
}

/** The promise, or an `aborted` fault as soon as the signal says so; the listener goes with the promise. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => {});
    throw abortFault(signal);
  }
  let stop = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(abortFault(signal));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
