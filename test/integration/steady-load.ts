/** Tables that are written to at a steady pace, key by key, and what was written to each key, in order. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TableApi } from '../../src/ports/table-api.ts';
import { NEVER } from '../fakes/lease-world.ts';

export class SteadyLoad {
  /** By name. */
  readonly tables = new Map<string, TableApi>();
  /** By `<table>/<key>`: the numbers, as text. */
  readonly history = new Map<string, string[]>();
  readonly #pace: { readonly keys: number; readonly everyMs: number };

  constructor(pace: { readonly keys: number; readonly everyMs: number }) {
    this.#pace = pace;
  }

  /** Each table, key by key, until the signal aborts. */
  async keepWriting(signal: AbortSignal): Promise<void> {
    const { keys, everyMs } = this.#pace;
    for (let n = 0; !signal.aborted; n++) {
      const pk = `k${n % keys}`;
      await Promise.all(
        [...this.tables].map(async ([TableName, table]) => {
          await table.call('PutItem', { TableName, Item: { pk: { S: pk }, n: { N: String(n) } } }, NEVER);
          const key = `${TableName}/${pk}`;
          this.history.set(key, [...(this.history.get(key) ?? []), String(n)]);
        }),
      );
      await sleep(everyMs);
    }
  }
}
