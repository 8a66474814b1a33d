/**
 * The two calls that an archive needs of an object store, as values: put an object if there is none, and look at one. What servers answer in place of
 * the 412 that is due is understood here, in one place.
 */
import {
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { SinkFault } from '../../src/connector.ts';
import { withoutStop } from '../../src/model/sentence.ts';
import type { Ms } from '../../src/model/units.ts';
import type { S3Options } from './options.ts';

export interface StoredObject {
  readonly name: string;
  readonly body: Uint8Array;
  readonly sha256: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Until when a lock holds, where the options ask for one. */
  readonly lockUntil?: Date;
}

export interface ObjectStore {
  /** `exists`: there is an object of that name, and it was left as it is. */
  putIfAbsent(object: StoredObject, signal: AbortSignal): Promise<'stored' | 'exists'>;
  /** The metadata of an object; undefined when there is none. */
  head(name: string, signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined>;
  close(): void;
}

const CONNECT_MS: Ms = 3_000;

export function s3Store(options: S3Options): ObjectStore {
  const client = new S3Client(clientConfig(options));
  const where = { Bucket: options.bucket };
  return {
    async putIfAbsent(object, signal) {
      try {
        await client.send(new PutObjectCommand({ ...where, ...putOf(object, options) }), { abortSignal: signal });
        return 'stored';
      } catch (error) {
        if (meansExists(error)) return 'exists';
        throw faultOf(error, `s3:PutObject on ${options.bucket}/${object.name}`);
      }
    },
    async head(name, signal) {
      try {
        const found = await client.send(new HeadObjectCommand({ ...where, Key: name }), { abortSignal: signal });
        return found.Metadata ?? {};
      } catch (error) {
        if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404 && error.name !== 'NoSuchBucket')
          return undefined;
        throw faultOf(error, `s3:GetObject on ${options.bucket}/${name}`);
      }
    },
    close: () => client.destroy(),
  };
}

function clientConfig(options: S3Options): S3ClientConfig {
  const { region, endpoint, credentials, roleArn, externalId } = options;
  const own = credentials && {
    accessKeyId: credentials.accessKeyId,
    secretAccessKey: credentials.secretAccessKey,
    ...(credentials.sessionToken !== undefined && { sessionToken: credentials.sessionToken }),
  };
  const assumed =
    roleArn === undefined
      ? own
      : fromTemporaryCredentials({
          ...(own && { masterCredentials: own }),
          params: { RoleArn: roleArn, RoleSessionName: 'tidemark', ...(externalId !== undefined && { ExternalId: externalId }) },
        });
  return {
    // The pipeline retries; a retry in here could outlive its batch.
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ connectionTimeout: CONNECT_MS, throwOnRequestTimeout: true }),
    // Stores of other makers are addressed by path.
    forcePathStyle: endpoint !== undefined,
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(assumed !== undefined && { credentials: assumed }),
  };
}

function putOf(object: StoredObject, options: S3Options): Omit<PutObjectCommandInput, 'Bucket'> {
  return {
    Key: object.name,
    Body: object.body,
    ContentType: object.contentType,
    IfNoneMatch: '*',
    ChecksumSHA256: object.sha256,
    Metadata: { ...object.metadata },
    ...(object.lockUntil && options.objectLock && { ObjectLockMode: options.objectLock.mode, ObjectLockRetainUntilDate: object.lockUntil }),
    ...(options.kmsKeyId !== undefined && { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: options.kmsKeyId, BucketKeyEnabled: true }),
  };
}

/** 412 is due; some servers answer 304, and some 409 for an object that is there (not the 409 of two puts at once, which is tried again). */
export function meansExists(error: unknown): boolean {
  if (!(error instanceof S3ServiceException)) return false;
  const status = error.$metadata.httpStatusCode;
  if (status === 409) return error.name !== 'ConditionalRequestConflict' && error.name !== 'OperationAborted';
  return status === 412 || status === 304 || error.name === 'PreconditionFailed';
}

const DENIED = new Set([
  'AccessDenied',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'AllAccessDisabled',
  'KMS.DisabledException',
  'KMS.NotFoundException',
  'KMS.AccessDeniedException',
]);
const PASSING = new Set(['ExpiredToken', 'ExpiredTokenException', 'RequestTimeTooSkewed', 'TokenRefreshRequired', 'RequestExpired']);

/** What a refusal means for the sink; `action` names what was tried. */
export function faultOf(error: unknown, action: string): SinkFault {
  if (!(error instanceof S3ServiceException)) {
    return new SinkFault('retry', `${action}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const status = error.$metadata.httpStatusCode ?? 0;
  const reason = `${action}: ${error.name} (${status})${error.message ? `: ${withoutStop(error.message)}` : ''}`;
  if (PASSING.has(error.name)) return new SinkFault('retry', reason, { cause: error });
  if (error.name === 'NoSuchBucket')
    return new SinkFault('halt', `${reason}. Create the bucket, or name another.`, { heals: true, cause: error });
  if (DENIED.has(error.name) || status === 401 || status === 403) {
    return new SinkFault('halt', `${reason}. Grant this action on this resource.`, { heals: true, cause: error });
  }
  if (status >= 400 && status < 500 && status !== 408 && status !== 409 && status !== 429) {
    return new SinkFault('halt', reason, { heals: true, cause: error });
  }
  return new SinkFault('retry', reason, { cause: error });
}
