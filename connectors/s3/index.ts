/**
 * `s3`: an archive of every change, as compressed lines of DynamoDB's incremental export. Each event is in exactly one object, whatever crashes: see
 * `sink.ts`. One file is in flight per shard, in the shard's order.
 */
import type { Connector } from '../../src/connector.ts';
import { optionsSchema, type S3Options } from './options.ts';
import { probeConditionalPuts, refuseStore } from './probe.ts';
import { archiveSink } from './sink.ts';
import { type ObjectStore, s3Store } from './store.ts';

const connector: Connector<S3Options> = {
  schema: optionsSchema,
  traits: options => ({
    order: 'partition',
    coalesce: 'never',
    oncePerKey: false,
    inFlight: 1,
    batch: { records: options.fileRecords, bytes: options.fileBytes, waitMs: options.fileSeconds * 1000 },
    timeoutMs: 30_000,
  }),
  open: (options, host) => openArchive(s3Store(options), options, host),
};

export default connector;

/** Opens an archive over a store, once its promise about conditional puts has been looked at. */
export async function openArchive(store: ObjectStore, options: S3Options, host: Parameters<typeof connector.open>[1]) {
  try {
    const conditional = (await probeConditionalPuts(store, options, host.signal)) === 'kept';
    if (!conditional && options.conditionalPuts === 'required') throw refuseStore(options);
    if (!conditional)
      host.log.warn({ bucket: options.bucket }, 'the store ignores conditional puts: events may be twice or lost after a crash');
    return archiveSink(store, options, { host, conditional });
  } catch (error) {
    store.close();
    throw error;
  }
}
