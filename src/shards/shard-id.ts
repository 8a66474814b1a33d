/**
 * What a shard's id lets one guess: `shardId-<20 digits of epoch milliseconds>-<hex>`. The form is no contract, so it serves log lines and rough ages
 * only, and everything works where it does not parse.
 */
import type { EpochMs } from '../model/units.ts';

export function shardBeganAt(shardId: string): EpochMs | undefined {
  const digits = /^shardId-(\d{20})-/.exec(shardId)?.[1];
  const at = Number(digits ?? 0);
  return at > 1e12 && at < 1e14 ? at : undefined;
}
