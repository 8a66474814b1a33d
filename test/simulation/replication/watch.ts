/**
 * What must hold at every moment, looked at around each request that takes effect: the replica's state of a key never goes from newer to older, no version
 * is accepted twice, and no write of the replica's own application comes back to it. Only a request that was given up and landed late may do either, on a key that a removal has emptied.
 */
import type { Item } from '../../../src/model/item.ts';
import { sameImage } from '../../../src/replication/image.ts';
import { attributeOf, markerOf, unmarked } from '../../../src/replication/marker.ts';
import { compareValues } from '../../../src/replication/order.ts';
import type { Rules, Version } from '../../../src/replication/versions.ts';
import type { FakeTables } from '../../fakes/fake-table.ts';

export interface WatchParts {
  readonly tables: FakeTables;
  readonly table: string;
  readonly compare: Rules['compare'];
  readonly versionOf: (item: Item) => Version;
  readonly violate: (what: string) => void;
}

export function watcher(parts: WatchParts): (land: () => Promise<unknown>, stray: boolean) => Promise<unknown> {
  const { tables, table, compare, versionOf, violate } = parts;
  const stood = new Map<string, Version>();
  const byKey = () => new Map(tables.items(table).map(item => [textOf(item), item]));
  return async (land, stray) => {
    const before = byKey();
    try {
      return await land();
    } finally {
      for (const [pk, item] of byKey()) {
        const [old, now] = [before.get(pk), versionOf(item)];
        const highest = stood.get(pk);
        // Where one late put has landed on an empty key, a second may follow.
        const emptied = old === undefined || (highest !== undefined && compare(versionOf(old), highest) < 0);
        if (old !== item && highest && compare(now, highest) <= 0 && !(stray && emptied)) {
          violate(`${pk} went ${compare(now, highest) < 0 ? 'back' : 'nowhere'}: ${JSON.stringify(now)} after ${JSON.stringify(highest)}`);
        }
        if (old && versionOf(old).o !== now.o && sameImage(unmarked(old, '_tm'), unmarked(item, '_tm'))) {
          violate(`${pk}: what was written here came back`);
        }
        if (!highest || compare(now, highest) > 0) stood.set(pk, now);
      }
    }
  };
}

/** Mode version: replicated if its marker fits the attribute, else written there by an application. */
export function lastWriterVersion(attribute: string, region: string): (item: Item) => Version {
  return item => {
    const value = attributeOf(item, attribute);
    const v = value && ('N' in value || 'S' in value) ? value : undefined;
    const marker = markerOf(item, '_tm');
    if (marker.is === 'version' && compareValues(marker.v, v) === 0) return { o: marker.o, s: marker.s, v, removed: false };
    return { o: region, s: '', v, removed: false };
  };
}

export function mirrorVersion(item: Item): Version {
  const marker = markerOf(item, '_tm');
  return { s: marker.is === 'mirror' ? marker.s : '', removed: false };
}

export function textOf(item: Item): string {
  const pk = item['pk'];
  return pk && 'S' in pk ? pk.S : '';
}
