/**
 * The source: a table that an application writes, and its stream. In mode version the application keeps the version rule, `new = max(now, old + 1)`, by
 * clocks that are up to two seconds wrong; and writes of the other direction may arrive in it, with our marker.
 */
import type { ChangeKind, ChangeRecord, Source } from '../../../src/model/change-record.ts';
import type { Item } from '../../../src/model/item.ts';
import { recordSource } from '../../fakes/records.ts';
import type { seededRandom, VirtualClock } from '../../fakes/virtual-clock.ts';

export const VERSION = 'updatedAt';
export const FROM = 'us-east-1';
const SKEW_MS = 2_000;
const COARSE_MS = 5_000;
const TTL = { type: 'Service', principalId: 'dynamodb.amazonaws.com' };

export interface SourceParts {
  readonly clock: VirtualClock;
  readonly random: ReturnType<typeof seededRandom>;
  readonly keys: readonly string[];
}

export class SourceWorld {
  readonly items = new Map<string, Item>();
  readonly log: ChangeRecord[] = [];
  readonly source: Source = recordSource({ table: 'orders', region: FROM, keyNames: ['pk'] });
  readonly #parts: SourceParts;
  #sequence = 0;

  constructor(parts: SourceParts) {
    this.#parts = parts;
  }

  /** One write of the application: a put, a removal, a removal by time to live, the same item again (which is no change). */
  write(): void {
    const { random, keys } = this.#parts;
    const pk = keys[random.integer(keys.length)] ?? '';
    const before = this.items.get(pk);
    if (before && random.chance(0.35)) {
      this.#tell('remove', pk, { before });
      return;
    }
    if (before && random.chance(0.1)) return;
    const kept = before && random.chance(0.5) ? before : undefined;
    // An update leaves what it does not name, our marker included; a put drops it.
    const after = { ...kept, pk: { S: pk }, ...this.#content(), [VERSION]: { N: String(this.nextVersion(before)) } };
    this.#tell(before ? 'modify' : 'insert', pk, { ...(before && { before }), after });
  }

  /** A write of the other direction arrives, if it is newer here. */
  receive(pk: string, item: Item): void {
    const before = this.items.get(pk);
    this.#tell(before ? 'modify' : 'insert', pk, { ...(before && { before }), after: item });
  }

  /** What a scan reads now. */
  scanned(): ChangeRecord | undefined {
    const { random, keys } = this.#parts;
    const pk = keys[random.integer(keys.length)] ?? '';
    const after = this.items.get(pk);
    return after && this.#record('insert', pk, { after }, { ...this.source, origin: 'snapshot', partition: 'segment-0' });
  }

  nextVersion(before: Item | undefined): number {
    const skewed = this.#parts.clock.now() + this.#parts.random.integer(2 * SKEW_MS + 1) - SKEW_MS;
    // Coarse, so that two writers often come to the same version.
    const now = Math.floor(skewed / COARSE_MS) * COARSE_MS;
    const old = before?.[VERSION];
    return Math.max(now, old && 'N' in old ? Number(old.N) + 1 : 0);
  }

  #content(): Item {
    const { random } = this.#parts;
    return { n: { N: String(random.integer(1_000_000)) }, ...(random.chance(0.5) && { [`a${random.integer(3)}`]: { S: 'x' } }) };
  }

  #tell(kind: ChangeKind, pk: string, images: { before?: Item; after?: Item }): void {
    if (images.after) this.items.set(pk, images.after);
    else this.items.delete(pk);
    this.#sequence += 1;
    this.log.push(this.#record(kind, pk, images, this.source));
  }

  #record(kind: ChangeKind, pk: string, images: { before?: Item; after?: Item }, source: Source): ChangeRecord {
    return {
      source,
      kind,
      key: `S${pk}`,
      keys: { pk: { S: pk } },
      ...images,
      token: String(this.#sequence),
      changedAt: Math.floor(this.#parts.clock.now() / 1000) * 1000,
      eventId: `${this.#sequence}`,
      eventName: kind.toUpperCase(),
      eventVersion: '1.1',
      sizeBytes: 100,
      bytes: 300,
      ...(kind === 'remove' && this.#parts.random.chance(0.3) && { userIdentity: TTL }),
    };
  }
}
