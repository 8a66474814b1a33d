/**
 * Law 4, against a reference: a modest consumer that begins `TAKE_MS` and a lease's duration after its process, takes `BORDER_MS` and the listings' delay
 * for each shard border, and needs so long per record. A healthy sink is never more than `BOUND_MS` (and one idle wait and the lingering of its batches)
 * behind that consumer, whatever the other sinks do. Time in which the source or the stores are out of order, the process is frozen or a lease is lost,
 * with what it takes to recover, does not count.
 */
import type { Key } from '../../../../src/model/key.ts';
import type { Ms } from '../../../../src/model/units.ts';
import type { FakeShard, FakeStream } from '../../../fakes/fake-stream.ts';
import type { Life } from '../life.ts';
import { DAY_MS, numberOf, type Scene, startOf } from '../scene.ts';
import type { Target } from '../target.ts';
import type { Change } from '../truth.ts';
import type { WorldPlan } from '../world-plan.ts';
import { isItsOwn, isUntold, standing } from './standing.ts';

const TAKE_MS: Ms = 4_000;
const BORDER_MS: Ms = 8_000;
const BOUND_MS: Ms = 6_000;
/** After an outage: a wait before the next try may have grown to 10 s. */
const RECOVERY_MS: Ms = 15_000;
/** A shard that is unknown to the source is asked for again for a minute before it counts as gone. */
const GONE_MS: Ms = 75_000;

interface Times {
  /** When the reference consumer has the shard's last record. */
  last: Ms;
}

export class IsolationCheck {
  readonly #scene: Scene;
  readonly #plan: WorldPlan;
  readonly #perRecordMs: Ms;
  readonly #boundMs: Ms;
  readonly #outages: { from: Ms; to: Ms }[] = [];
  readonly #troubles = new Set<string>();
  /** The furthest that the healthy sink was behind the reference. */
  worstMs = Number.NEGATIVE_INFINITY;

  constructor(scene: Scene, plan: WorldPlan) {
    this.#scene = scene;
    this.#plan = plan;
    const healthy = plan.sinks.find(({ isHealthy }) => isHealthy);
    const waitMs = healthy?.traits.batch.waitMs ?? 0;
    const perPage = 2 * (plan.source.pollMs + 2 * (plan.rules.latencyMs ?? 0) + waitMs);
    const pageRecords = Math.min(plan.rules.pageRecords ?? 1_000, 1_000_000 / plan.recordBytes[1]);
    this.#perRecordMs = perPage / pageRecords + (healthy?.latencyMs ?? 0) + 2;
    this.#boundMs = BOUND_MS + plan.source.idleMs + waitMs;
  }

  /** Something that every sink waits for is out of order, or is not any more. */
  outage(what: string, isOut: boolean): void {
    const now = this.#scene.clock.elapsed();
    if (isOut) {
      if (this.#troubles.size === 0) this.#outages.push({ from: now, to: Number.POSITIVE_INFINITY });
      this.#troubles.add(what);
    } else if (this.#troubles.delete(what) && this.#troubles.size === 0) {
      const last = this.#outages.at(-1);
      if (last !== undefined) last.to = now + RECOVERY_MS;
    }
  }

  /** No outage just now or a moment ago. */
  get isUndisturbed(): boolean {
    return (this.#outages.at(-1)?.to ?? 0) < this.#scene.clock.elapsed();
  }

  /** The life is over: what it should have delivered by now is delivered. */
  over(life: Life): void {
    // Those of the stores go on; what was the life's own ends with it.
    for (const what of this.#troubles) if (what === 'freeze' || what.startsWith('lease of')) this.outage(what, false);
    const now = this.#scene.clock.elapsed();
    for (const outage of this.#outages) if (Number.isFinite(outage.to)) outage.to = Math.min(outage.to, now);
    // A stream that replaced another waits for whatever the old one still has, and for the next look at the table.
    const [stream, ...others] = this.#scene.streams.streams.values();
    if (stream === undefined || others.length > 0) return;
    for (const target of this.#scene.targets) if (target.sketch.isHealthy) this.#look(life, target, stream);
  }

  #look(life: Life, target: Target, stream: FakeStream): void {
    const ready = this.#good(life.startedAt) + this.#plan.leases.durationMs + TAKE_MS;
    const times = new Map<string, Times>();
    const border = BORDER_MS + (this.#plan.rules.listingDelayMs ?? 0) + (this.#plan.rules.childrenDelayMs ?? 0);
    for (const shard of stream.shards.values()) {
      const parent = shard.parent === undefined ? undefined : times.get(shard.parent);
      const begins = parent === undefined ? ready : Math.max(parent.last + border, ready);
      const gone = stream.isGone(shard, DAY_MS) ? GONE_MS : 0;
      times.set(shard.id, { last: this.#follow(shard, begins + gone, { life, target }) });
    }
  }

  /** When the reference has the last record of a shard that it begins at `begins`. */
  #follow(shard: FakeShard, begins: Ms, { life, target }: { life: Life; target: Target }): Ms {
    const now = this.#good(this.#scene.clock.elapsed());
    let at = begins;
    const leftOut = coalescedIn(life, target, this.#scene.truth.of(shard));
    for (const change of this.#scene.truth.of(shard)) {
      const landing = target.ledger.landed.get(change.token);
      const isDue = landing === undefined ? this.#isWaitedFor(target, change) : landing.life >= life.n;
      if (!isDue && !leftOut.has(change)) continue;
      at = Math.max(at, this.#good(change.elapsed)) + this.#perRecordMs;
      if (!isDue) continue;
      const lateMs = (landing === undefined ? now : this.#good(landing.at)) - at;
      this.worstMs = Math.max(this.worstMs, lateMs);
      if (lateMs <= this.#boundMs) continue;
      const how = landing === undefined ? 'is still not delivered' : 'was delivered';
      const seconds = ((lateMs - this.#boundMs) / 1000).toFixed(1);
      this.#scene.history.breaks(
        'law 4',
        `${target.name} is healthy, and record ${numberOf(change.token)} ${how} ${seconds} s after the bound`,
      );
      return at;
    }
    return shard.closedAt === undefined ? at : Math.max(at, this.#good(this.#closedAt(shard)));
  }

  #isWaitedFor(target: Target, change: Change): boolean {
    const start = startOf(this.#scene, target, change.stream);
    return (
      (start === undefined || isItsOwn(this.#scene, target, { start, change })) &&
      standing(this.#scene, target, change) === 'missing' &&
      !isUntold(this.#scene, change)
    );
  }

  #closedAt({ closedAt = 0 }: FakeShard): Ms {
    const { clock, streams } = this.#scene;
    return closedAt - (streams.now() - clock.elapsed());
  }

  /** Time without the outages before it. */
  #good(at: Ms): Ms {
    let lost = 0;
    let covered = 0;
    for (const { from, to } of this.#outages) {
      const begun = Math.max(from, covered);
      lost += Math.max(0, Math.min(at, to) - begun);
      covered = Math.max(covered, to);
    }
    return at - lost;
  }
}

/** Read in this life as the others, and left out for a later change of the key. */
function coalescedIn(life: Life, { coalesces, ledger }: Target, changes: readonly Change[]): ReadonlySet<Change> {
  const leftOut = new Set<Change>();
  if (!coalesces) return leftOut;
  const livesOf = new Map<Key, number>();
  for (const change of changes.toReversed()) {
    const landing = ledger.landed.get(change.token);
    if (landing !== undefined) livesOf.set(change.key, landing.life);
    else if (livesOf.get(change.key) === life.n) leftOut.add(change);
  }
  return leftOut;
}
