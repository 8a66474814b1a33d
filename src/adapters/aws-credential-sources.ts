/**
 * Where credentials come from: the options, a role assumed by STS, or the ordinary AWS chain (environment, profile, SSO, process, web identity,
 * container, instance). The chain and STS are the SDK's; each fetch reads the files anew, for somebody may have rotated what stands in them.
 */
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { AwsOptions } from '../ports/table-api.ts';
import type { CredentialKeeper, CredentialSource, Credentials } from './aws-credentials.ts';
import { profileProblem } from './aws-profile.ts';
import { dateOf } from './system.ts';

/** What the SDK's providers give. */
export interface SdkCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

const NEVER = new AbortController().signal;

/** The source of options without a role. */
export function ownSource(options: AwsOptions): CredentialSource {
  const own = options.credentials;
  if (own !== undefined) return async () => ({ ...own });
  return async () => {
    try {
      return fromSdk(await fromNodeProviderChain({ ignoreCache: true })());
    } catch (error) {
      const problem = profileProblem(process.env);
      throw problem === undefined ? error : new Error(problem, { cause: error });
    }
  };
}

/** The source of an assumed role; `own` keeps the credentials that ask for it. */
export function roleSource(options: AwsOptions & { readonly roleArn: string }, own: CredentialKeeper): CredentialSource {
  const assume = fromTemporaryCredentials({
    masterCredentials: sdkProvider(own),
    params: {
      RoleArn: options.roleArn,
      RoleSessionName: 'tidemark',
      ...(options.externalId === undefined ? {} : { ExternalId: options.externalId }),
    },
    clientConfig: {
      maxAttempts: 2,
      requestHandler: new NodeHttpHandler({ connectionTimeout: 3_000, requestTimeout: 5_000, throwOnRequestTimeout: true }),
      ...(options.region === undefined ? {} : { region: options.region }),
    },
  });
  return async () => {
    const before = await own.get(NEVER);
    try {
      return fromSdk(await assume());
    } catch (error) {
      own.drop(before);
      throw error;
    }
  };
}

/**
 * A keeper as the SDK wants it. The SDK keeps what a provider gave until it ends; these always say that they end now, so that it asks the keeper each
 * time, which knows better.
 */
export function sdkProvider(keeper: CredentialKeeper): () => Promise<SdkCredentials> {
  return async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = await keeper.get(NEVER);
    return { accessKeyId, secretAccessKey, expiration: dateOf(0), ...(sessionToken === undefined ? {} : { sessionToken }) };
  };
}

function fromSdk({ accessKeyId, secretAccessKey, sessionToken, expiration }: SdkCredentials): Credentials {
  return { accessKeyId, secretAccessKey, sessionToken, expiresAt: expiration?.getTime() };
}
