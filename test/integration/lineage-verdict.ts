/** Holds what a sink was given against the stream itself: nothing lost but in a gap, first deliveries in order per key, no shard before its parents' end. */
import { compareTokens } from '../../src/model/position.ts';
import type { GapRow } from '../../src/ports/control-store.ts';

/** A record as it stood in the stream. All shards of a local server count on from one number. */
export interface Truth {
  readonly shard: string;
  readonly token: string;
  readonly key: string;
  readonly n: number;
}

export type Line = Truth;

export interface LineageVerdict {
  readonly records: number;
  readonly duplicates: number;
  /** Never given, and in no gap. */
  readonly lost: readonly Truth[];
  /** Never given, and in a gap. */
  readonly inGaps: number;
  readonly outOfOrder: readonly Line[];
  /** Given after something of a descendant of its shard. */
  readonly afterChildren: readonly Line[];
}

export function lineageVerdict(
  lines: readonly Line[],
  truth: readonly Truth[],
  { gaps, parents }: { readonly gaps: readonly GapRow[]; readonly parents: ReadonlyMap<string, string | undefined> },
): LineageVerdict {
  const given = new Set<string>();
  const newest = new Map<string, string>();
  const passed = new Set<string>();
  const outOfOrder: Line[] = [];
  const afterChildren: Line[] = [];
  for (const line of lines) {
    if (passed.has(line.shard)) afterChildren.push(line);
    for (let shard = parents.get(line.shard); shard !== undefined && !passed.has(shard); shard = parents.get(shard)) passed.add(shard);
    if (given.has(line.token)) continue;
    given.add(line.token);
    if (compareTokens(line.token, newest.get(line.key) ?? '') < 0) outOfOrder.push(line);
    else newest.set(line.key, line.token);
  }
  const missing = truth.filter(({ token }) => !given.has(token));
  const lost = missing.filter(record => !gaps.some(gap => covers(gap, record)));
  return {
    records: given.size,
    duplicates: lines.length - given.size,
    lost,
    inGaps: missing.length - lost.length,
    outOfOrder,
    afterChildren,
  };
}

/** A gap without bounds is of the whole shard; one without a shard of the whole stream. */
function covers({ partition, gap: { from, to } }: GapRow, { shard, token }: Truth): boolean {
  if (partition !== undefined && partition !== shard) return false;
  return (from === undefined || compareTokens(token, from) >= 0) && (to === undefined || compareTokens(token, to) <= 0);
}
