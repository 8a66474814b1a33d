/** An object store in memory that keeps conditional puts, or is told not to; it can crash its caller after the put and before the answer. */
import { gunzipSync } from 'node:zlib';
import type { ObjectStore, StoredObject } from '../../connectors/s3/store.ts';

export interface StubStore extends ObjectStore {
  readonly objects: ReadonlyMap<string, StoredObject>;
  /** Whether conditional puts are kept. */
  keepsConditions: boolean;
  /** Called after an object is stored and before its put is answered; a throw loses the answer. */
  onStored: (name: string) => Promise<void>;
}

export function stubStore(): StubStore {
  const objects = new Map<string, StoredObject>();
  return {
    objects,
    keepsConditions: true,
    onStored: async () => {},
    async putIfAbsent(object, signal) {
      if (signal.aborted) throw new Error('aborted');
      if (objects.has(object.name) && this.keepsConditions) return 'exists';
      objects.set(object.name, object);
      await this.onStored(object.name);
      return 'stored';
    },
    async head(name) {
      return objects.get(name)?.metadata;
    },
    close() {},
  };
}

/** The lines of all files, packed or not, in the order of their names. */
export function archivedLines(store: StubStore): { Metadata: { SequenceNumber: { S: string } } }[] {
  const files = [...store.objects].filter(([name]) => /\.json(\.gz)?$/.test(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  return files.flatMap(([name, { body }]) =>
    (name.endsWith('.gz') ? gunzipSync(body) : Buffer.from(body))
      .toString()
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line)),
  );
}
