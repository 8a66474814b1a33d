/** What the admin endpoints may show and ask for. The daemon implements it, and whoever speaks for several processes; `admin` serves it. */
import type { Status } from '../model/status.ts';
import type { SinkName } from '../model/units.ts';

export interface StatusSource {
  status(): Status | Promise<Status>;
  /** Why this worker is not ready; empty when it is. A broken target is never a reason. */
  notReady(): readonly string[] | Promise<readonly string[]>;
  /** What of it gives no sign of life; absent where whoever answers is all there is. */
  notAlive?(): Promise<readonly string[]>;
  /** Durable, for all workers. `unknown`: no such pipeline or sink. */
  pause(pipeline: string, sink: SinkName): Promise<'done' | 'unknown'>;
  resume(pipeline: string, sink: SinkName): Promise<'done' | 'unknown'>;
}
