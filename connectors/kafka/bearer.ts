/**
 * Logging in with a bearer token (RFC 7628). kafkajs has the mechanism but does not read its answer: a refused token looks like a login, and then like
 * a broker that closes connections (K12). Here the broker's reason is read and told.
 */
import type { Mechanism } from 'kafkajs';

export type Token = () => Promise<string>;

const LENGTH_BYTES = 4;

/** Named, so that the faults know it for a login. */
export class LoginRefused extends Error {
  override readonly name = 'LoginRefused';
  /** kafkajs asks this of what it catches. */
  readonly retriable = false;
}

export function bearer(token: Token): Mechanism {
  return {
    mechanism: 'OAUTHBEARER',
    authenticationProvider: ({ saslAuthenticate }) => ({
      authenticate: async () => {
        const request = sized(`n,,\u0001auth=Bearer ${await token()}\u0001\u0001`);
        const decode = async (answer: Buffer) => answer.subarray(LENGTH_BYTES);
        const reason = await saslAuthenticate({ request: { encode: () => request }, response: { decode, parse: String } });
        if (reason) throw new LoginRefused(`SASL OAUTHBEARER authentication failed: ${reason}`);
      },
    }),
  };
}

function sized(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
