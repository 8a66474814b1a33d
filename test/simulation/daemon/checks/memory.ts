/**
 * Law 6: the bytes held by the process are never more than its budget and one page for each permit that may be out, and none when it has stopped.
 */
import type { Ms } from '../../../../src/model/units.ts';
import type { Scene } from '../scene.ts';

/** The service's, with what a record weighs more on the wire. */
const PAGE_BYTES = 1_000_000 * 1.2;
const PERMIT_BYTES = 1024 * 1024;

export class MemoryCheck {
  readonly #scene: Scene;
  readonly #limitBytes: number;
  readonly #overshootBytes: number;
  most = 0;

  constructor(scene: Scene, limitBytes: number) {
    this.#scene = scene;
    this.#limitBytes = limitBytes;
    this.#overshootBytes = Math.max(2, Math.floor(limitBytes / 4 / PERMIT_BYTES)) * PAGE_BYTES;
  }

  look(bytes: number): void {
    this.most = Math.max(this.most, bytes);
    const most = this.#limitBytes + this.#overshootBytes;
    if (bytes > most || bytes < 0) this.#scene.history.breaks('law 6', `${bytes} bytes are held, the limit is ${this.#limitBytes}`);
  }

  stopped(bytes: number, tookMs: Ms): void {
    if (bytes !== 0) this.#scene.history.breaks('law 6', `${bytes} bytes are held after a stop of ${tookMs} ms`);
  }
}
