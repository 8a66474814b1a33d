/**
 * Whether a store keeps its word about conditional puts: the same small object is put twice, and the second put has to be refused. Without that, a
 * file that is written again after a crash would replace a longer one, and events would be lost from the archive without a word.
 */
import { createHash } from 'node:crypto';
import { SinkFault } from '../../src/connector.ts';
import type { S3Options } from './options.ts';
import type { ObjectStore } from './store.ts';

const TEXT = 'Tidemark put this here to see whether the store refuses to replace it.\n';

export async function probeConditionalPuts(store: ObjectStore, options: S3Options, signal: AbortSignal): Promise<'kept' | 'ignored'> {
  const prefix = options.prefix.replace(/^\/+|\/+$/g, '');
  const object = {
    name: `${prefix === '' ? '' : `${prefix}/`}_tidemark/conditional-put-probe`,
    body: Buffer.from(TEXT),
    sha256: createHash('sha256').update(TEXT).digest('base64'),
    contentType: 'text/plain',
    metadata: {},
  };
  if ((await store.putIfAbsent(object, signal)) === 'exists') return 'kept';
  return (await store.putIfAbsent(object, signal)) === 'exists' ? 'kept' : 'ignored';
}

export function refuseStore(options: S3Options): SinkFault {
  return new SinkFault(
    'halt',
    `the store of bucket ${options.bucket} replaces objects although the put said If-None-Match: *, so an archive there cannot promise that each ` +
      'event is in exactly one object. Use a store that keeps conditional puts, or accept the weaker promise with `conditionalPuts: auto`.',
  );
}
