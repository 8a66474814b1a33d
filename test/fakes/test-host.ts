/** What the house lends to a connector, for tests: the real clock and dice, a log and counts that can be read, and whatever clients a test puts in. */

import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { Host } from '../../src/connector.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { KinesisApi } from '../../src/ports/kinesis-api.ts';
import type { AwsOptions, TableApi } from '../../src/ports/table-api.ts';
import { keptLog } from './lease-world.ts';

export interface TestHostParts {
  readonly name?: string;
  readonly writer?: string;
  readonly sources?: Host['sources'];
  readonly clock?: Clock;
  readonly table?: (options: AwsOptions) => TableApi;
  readonly kinesis?: (options: AwsOptions) => KinesisApi;
}

export interface TestHost extends Host {
  readonly log: ReturnType<typeof keptLog>;
  /** How often something was counted. */
  counted(what: 'conflict' | 'throttle'): number;
  /** The process stops. */
  stop(): void;
}

export function testHost(parts: TestHostParts = {}): TestHost {
  const process = new AbortController();
  const counts = new Map<string, number>();
  const noClient = (kind: string) => () => {
    throw new Error(`this test has no ${kind} client: give testHost one`);
  };
  return {
    name: parts.name ?? 'sink',
    writer: parts.writer ?? 'test/orders',
    sources: parts.sources ?? [{ table: 'orders', region: 'us-east-1', tableId: '00000000-0000-4000-8000-000000000000' }],
    clock: parts.clock ?? systemClock,
    random: systemRandom,
    log: keptLog(),
    signal: process.signal,
    table: parts.table ?? noClient('table'),
    kinesis: parts.kinesis ?? noClient('Kinesis'),
    count: (what, n) => void counts.set(what, (counts.get(what) ?? 0) + n),
    counted: what => counts.get(what) ?? 0,
    stop: () => process.abort(),
  };
}
