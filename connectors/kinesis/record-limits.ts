/**
 * How large a record each stream takes. It can be raised at any time, and a policy that allows nothing but writing is common, so it is looked at when the
 * sink opens and again before a record is refused; where nobody may look, the service's default holds.
 */
import type { Host } from '../../src/connector.ts';
import type { Ms } from '../../src/model/units.ts';
import type { KinesisApi } from '../../src/ports/kinesis-api.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import { requestFault } from './faults.ts';

/** Of data and partition key together. */
const DEFAULT_BYTES = 1024 * 1024;
/** The service takes few such questions. */
const LOOK_AGAIN_MS: Ms = 60_000;

export type LimitsHost = Pick<Host, 'clock' | 'log'>;

export class RecordLimits {
  readonly #api: KinesisApi;
  readonly #host: LimitsHost;
  readonly #known = new Map<string, { readonly bytes: number; readonly at: Ms }>();

  constructor(api: KinesisApi, host: LimitsHost) {
    this.#api = api;
    this.#host = host;
  }

  of(stream: string): number {
    return this.#known.get(stream)?.bytes ?? DEFAULT_BYTES;
  }

  /** Looks, unless that was done a moment ago. A SinkFault says why it could not. */
  async look(stream: string, signal: AbortSignal): Promise<void> {
    const known = this.#known.get(stream);
    const now = this.#host.clock.elapsed();
    if (known !== undefined && now - known.at < LOOK_AGAIN_MS) return;
    this.#known.set(stream, { bytes: await this.#asked(stream, signal), at: now });
  }

  async #asked(stream: string, signal: AbortSignal): Promise<number> {
    try {
      return (await this.#api.describe(stream, signal)).maxRecordBytes ?? DEFAULT_BYTES;
    } catch (error) {
      if (!(error instanceof ServiceFault) || error.class !== 'denied') throw requestFault(error, 'kinesis:DescribeStreamSummary', stream);
      this.#host.log.debug({ stream }, 'no permission for kinesis:DescribeStreamSummary: records of more than 1 MiB are refused');
      return DEFAULT_BYTES;
    }
  }
}
