/**
 * What this process wrote last under a key, in short: the stamp, and a fingerprint of the image. An UPDATE by the difference of two images may be tried
 * only on top of exactly that. It is a memory and no truth: it forgets the least recently written, and whatever it forgets is written by a whole put.
 */

import type { Image } from '../../src/model/item.ts';
import { fingerprint } from '../../src/replication/image.ts';
import type { Stamp } from '../../src/replication/stamp.ts';

const LIMIT_BYTES = 16 * 1024 * 1024;
/** Stamp, fingerprint and the map's own cost, beside the key. */
const ENTRY_BYTES = 250;

export class WrittenImages {
  readonly #limitBytes: number;
  readonly #entries = new Map<string, { readonly s: Stamp; readonly print: string }>();
  #bytes = 0;

  constructor(limitBytes = LIMIT_BYTES) {
    this.#limitBytes = limitBytes;
  }

  /** The stamp under which exactly this image was written. */
  stampOf(place: string, image: Image): Stamp | undefined {
    const entry = this.#entries.get(place);
    return entry && entry.print === fingerprint(image) ? entry.s : undefined;
  }

  has(place: string): boolean {
    return this.#entries.has(place);
  }

  wrote(place: string, s: Stamp, image: Image): void {
    this.forget(place);
    this.#entries.set(place, { s, print: fingerprint(image) });
    this.#bytes += place.length + ENTRY_BYTES;
    if (this.#bytes > this.#limitBytes) this.#evict();
  }

  forget(place: string): void {
    if (this.#entries.delete(place)) this.#bytes -= place.length + ENTRY_BYTES;
  }

  #evict(): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#limitBytes) return;
      this.forget(oldest);
    }
  }
}
