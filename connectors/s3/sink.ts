/**
 * The archive's target. A batch is a file; its name is a function of its first record, and it is put only where no object of that name is. Where one
 * is, an earlier life of this pipeline put it: it is adopted, and the pipeline goes on after the last record that it covers, be that more or less than
 * the batch.
 */
import type { Batch, Host, Sink, Written } from '../../src/connector.ts';
import { SinkFault } from '../../src/connector.ts';
import { archiveFile, coveredBy, EXTENSIONS } from './archive-file.ts';
import { objectNames } from './layout.ts';
import type { S3Options } from './options.ts';
import type { ObjectStore } from './store.ts';

const DAY_MS = 86_400_000;

export function archiveSink(store: ObjectStore, options: S3Options, at: { host: Host; conditional: boolean }): Sink {
  const nameOf = objectNames({ prefix: options.prefix, layout: options.layout, extension: EXTENSIONS[options.compression] });
  const adopt = async (name: string, batch: Batch, signal: AbortSignal): Promise<Written | undefined> => {
    const [first] = batch.records;
    const metadata = await store.head(name, signal);
    if (metadata === undefined || first === undefined) return undefined;
    const through = coveredBy(metadata, first);
    if (through === undefined) {
      throw new SinkFault(
        'halt',
        `${options.bucket}/${name} is there and was not put by this archive; move it away, or set another prefix`,
      );
    }
    at.host.log.info({ object: name, through }, 'the file is there already: going on after what it covers');
    return { failed: [], through };
  };
  return {
    async write(batch, signal) {
      const [first] = batch.records;
      if (first === undefined) return { failed: [] };
      const name = nameOf(first);
      if (!at.conditional) {
        // Only a look before the put: two writers at once are not kept apart.
        const found = await adopt(name, batch, signal);
        if (found !== undefined) return found;
      }
      const lock = options.objectLock && { lockUntil: new Date(at.host.clock.now() + options.objectLock.retainDays * DAY_MS) };
      const file = await archiveFile(batch.records, { name, compression: options.compression, ...lock });
      if ((await store.putIfAbsent(file, signal)) === 'stored') return { failed: [] };
      const found = await adopt(name, batch, signal);
      if (found === undefined) throw new SinkFault('retry', `${options.bucket}/${name} was there and is gone`);
      return found;
    },
    async close() {
      store.close();
    },
  };
}
