/**
 * What operators ask of sinks: rows of the control table that all workers look at twice a second, so that a pause is seen within a second and outlives
 * a restart. A resume also tries a halted sink again.
 */
import type { Ms, SinkName } from '../model/units.ts';
import type { OpenSink } from '../pipeline/open-sink.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { ControlStore, SinkRequest } from '../ports/control-store.ts';
import type { Log } from '../ports/log.ts';

export interface SinkRequestsParts {
  readonly control: ControlStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly sink: (pipeline: string, sink: SinkName) => OpenSink | undefined;
}

const LOOK_MS: Ms = 500;
const TROUBLED_CAP_MS: Ms = 5_000;

export class SinkRequests {
  readonly #parts: SinkRequestsParts;
  #seen: ReadonlyMap<string, SinkRequest> | undefined;
  #trouble: string | undefined;

  constructor(parts: SinkRequestsParts) {
    this.#parts = parts;
  }

  /** Why the control table cannot be read, while it cannot. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  isPaused(pipeline: string, sink: SinkName): boolean {
    return this.#seen?.get(keyOf({ pipeline, sink }))?.paused ?? false;
  }

  /** Looks until the signal aborts. `first` is called when there was an answer. */
  async run(first: () => void, signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#parts;
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.look(signal);
        first();
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (failures === 2) log.error({ error: String(error) }, 'the control table cannot be read; trying again');
        if (failures++ >= 2) this.#trouble = error instanceof Error ? error.message : String(error);
      }
      const waitMs = failures === 0 ? LOOK_MS : Math.min(TROUBLED_CAP_MS, LOOK_MS * 2 ** failures) * (0.5 + random.next() / 2);
      await clock.sleep(waitMs, signal);
    }
  }

  async look(signal: AbortSignal): Promise<void> {
    const rows = await this.#parts.control.sinkRequests(signal);
    const before = this.#seen;
    this.#seen = new Map(rows.map(row => [keyOf(row), row]));
    this.#trouble = undefined;
    for (const [key, row] of this.#seen) if (before !== undefined && before.get(key)?.asked !== row.asked) this.#obey(row);
  }

  #obey({ pipeline, sink, paused }: SinkRequest): void {
    const target = this.#parts.sink(pipeline, sink);
    if (target === undefined) return;
    this.#parts.log.info({ pipeline, sink }, paused ? 'the sink is paused by request' : 'the sink is resumed by request');
    if (paused) target.pause();
    else target.resume();
  }
}

function keyOf({ pipeline, sink }: Pick<SinkRequest, 'pipeline' | 'sink'>): string {
  return `${pipeline}/${sink}`;
}
