/**
 * The chore that does removals once more when their time has come (`againAt` of the tombstone). Due times stand in the table, so a crash does not forget
 * them: after open, and some minutes after a shard was taken over, the table is read through for what another process left. In between it lives on a
 * bounded memory; what does not fit is found by the next reading. It runs beside the writes, in the background, a few requests at a time, and whatever
 * fails is tried again at the next tick.
 */
import type { Item } from '../../src/model/item.ts';
import type { EpochMs, Ms } from '../../src/model/units.ts';
import type { Cancel, Clock } from '../../src/ports/clock.ts';
import type { Log } from '../../src/ports/log.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { readTombstone, TOMBSTONE_AGAIN, TOMBSTONE_KEY, type Tombstone } from '../../src/replication/tombstone.ts';
import type { Rules } from '../../src/replication/versions.ts';

const TICK_MS: Ms = 30_000;
const PAGE_PAUSE_MS: Ms = 200;
const ROWS_KEPT = 10_000;
/** A former owner's last requests are refused 5 minutes after they were signed: then all its rows can be seen. */
const AFTER_TAKEOVER_MS: Ms = 6 * 60_000;
const BETWEEN_SCANS_MS: Ms = 15 * 60_000;

export interface AgainParts {
  readonly api: TableApi;
  readonly clock: Clock;
  readonly log: Log;
  readonly tombstoneTable: string;
  /** Tables of this sink: rows of others are left to their own. */
  readonly tables: readonly string[];
  readonly removeAgainIf: Rules['removeAgainIf'];
}

export class DeleteAgain {
  readonly #parts: AgainParts;
  readonly #stop = new AbortController();
  readonly #due = new Map<string, Tombstone>();
  #scanAt: EpochMs | undefined;
  #scannedAt: EpochMs = Number.NEGATIVE_INFINITY;
  #cancel: Cancel | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: AgainParts) {
    this.#parts = parts;
  }

  /** Reads the table through as soon as the caller is done. */
  start(): void {
    this.#scanAt = this.#parts.clock.now();
    this.#tickAfter(0);
  }

  note(row: Tombstone): void {
    if (row.againAt === undefined) return;
    if (this.#due.size >= ROWS_KEPT && !this.#due.has(row.key)) this.#planScan(row.againAt);
    else this.#due.set(row.key, row);
    this.#tickAfter(TICK_MS);
  }

  /** Another process may have left removals in a shard that is ours now. */
  tookOver(): void {
    this.#planScan(this.#parts.clock.now() + AFTER_TAKEOVER_MS);
    this.#tickAfter(TICK_MS);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#cancel?.();
    await this.#running;
  }

  #planScan(at: EpochMs): void {
    const wanted = Math.max(at, this.#scannedAt + BETWEEN_SCANS_MS);
    // A scan that is planned for later sees this too; one that is planned for earlier may come too soon.
    this.#scanAt = Math.max(wanted, this.#scanAt ?? wanted);
  }

  #tickAfter(ms: Ms): void {
    if (this.#cancel || this.#stop.signal.aborted) return;
    this.#cancel = this.#parts.clock.after(ms, () => {
      this.#running = this.#tick().finally(() => {
        this.#cancel = undefined;
        if (this.#due.size > 0 || this.#scanAt !== undefined) this.#tickAfter(TICK_MS);
      });
    });
  }

  async #tick(): Promise<void> {
    try {
      await this.#removeDue();
      if (this.#scanAt !== undefined && this.#scanAt <= this.#parts.clock.now()) await this.#scan();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      this.#parts.log.warn(
        { tombstoneTable: this.#parts.tombstoneTable, error: name },
        `removals to be done again have to wait: ${message}`,
      );
    }
  }

  async #scan(): Promise<void> {
    const { api, clock, tombstoneTable } = this.#parts;
    const request = {
      TableName: tombstoneTable,
      ConsistentRead: true,
      FilterExpression: 'attribute_exists(#again)',
      ExpressionAttributeNames: { '#again': TOMBSTONE_AGAIN },
    };
    const startedAt = clock.now();
    let after: Item | undefined;
    do {
      const { signal } = this.#stop;
      const page = await api.call('Scan', { ...request, ...(after && { ExclusiveStartKey: after }) }, signal);
      // Gone first: a scan that is called off by an overflow is planned anew.
      if (after === undefined) this.#scanAt = undefined;
      for (const item of page.Items) this.#found(item);
      after = page.LastEvaluatedKey;
      await this.#removeDue();
      if (after) await clock.sleep(PAGE_PAUSE_MS, signal);
    } while (after && !this.#stop.signal.aborted);
    this.#scannedAt = startedAt;
  }

  #found(item: Item): void {
    const row = readTombstone(item);
    if (row && this.#parts.tables.includes(row.table)) this.note(row);
  }

  /** Stops at the first that fails. */
  async #removeDue(): Promise<void> {
    const now = this.#parts.clock.now();
    for (const row of this.#due.values()) {
      if (this.#stop.signal.aborted) return;
      if ((row.againAt ?? 0) > now) continue;
      await this.#remove(row);
      if (this.#due.get(row.key) === row) this.#due.delete(row.key);
    }
  }

  async #remove(row: Tombstone): Promise<void> {
    const { api, removeAgainIf, tombstoneTable } = this.#parts;
    const { signal } = this.#stop;
    await unlessRefused(api.call('DeleteItem', { TableName: row.table, Key: row.keys, ...removeAgainIf(row.version) }, signal));
    const done = {
      TableName: tombstoneTable,
      Key: { [TOMBSTONE_KEY]: { S: row.key } },
      UpdateExpression: 'REMOVE #again',
      ConditionExpression: '#again = :again AND #s = :s',
      ExpressionAttributeNames: { '#again': TOMBSTONE_AGAIN, '#s': 's' },
      ExpressionAttributeValues: { ':again': { N: String(row.againAt) }, ':s': { S: row.version.s } },
    };
    await unlessRefused(api.call('UpdateItem', done, signal));
  }
}

/** A condition that does not hold says that there is nothing to do: the key is empty or newer, or a later removal has raised the tombstone. */
async function unlessRefused(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof ServiceFault && error.class === 'condition')) throw error;
  }
}
