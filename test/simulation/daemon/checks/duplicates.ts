/**
 * What is given again after a crash is bounded: what was finished above the head, which fits in the sink's window, and what was finished since the last
 * save, a second ago. After an orderly stop a healthy sink is given nothing again.
 */
import type { Ms } from '../../../../src/model/units.ts';
import { leaseKey } from '../../../../src/ports/lease-store.ts';
import type { FakeShard, FakeStream } from '../../../fakes/fake-stream.ts';
import type { Life } from '../life.ts';
import { nameOf, positionOf, type Scene } from '../scene.ts';
import type { Target } from '../target.ts';

/** One between two saves, the rest for a save that is tried again. */
const SAVED_WITHIN_MS: Ms = 4_000;
const WINDOW_BYTES = 8 * 1024 * 1024;

export function checkDuplicates(scene: Scene, life: Life, isOrderly: boolean): void {
  for (const target of scene.targets) {
    for (const stream of scene.streams.streams.values()) {
      for (const shard of stream.shards.values()) {
        const row = scene.leases.rows.get(leaseKey(stream.arn, shard.id));
        if (row !== undefined && (isOrderly || row.owner === life.worker)) checkShard(scene, target, { stream, shard, life, isOrderly });
      }
    }
  }
}

function checkShard(
  scene: Scene,
  target: Target,
  { stream, shard, life, isOrderly }: { stream: FakeStream; shard: FakeShard; life: Life; isOrderly: boolean },
): void {
  const position = positionOf(scene, target, stream, shard.id);
  if (position?.at === 'end') return;
  const from = position?.at === 'after' ? scene.truth.at(position.token).ordinal + 1 : 0;
  const before = (life.diedAt ?? scene.clock.elapsed()) - (isOrderly ? 0 : SAVED_WITHIN_MS);
  const again = scene.truth
    .of(shard)
    .slice(from)
    .filter(({ token }) => {
      const landing = target.ledger.landed.get(token);
      return landing !== undefined && landing.life === life.n && landing.at <= before;
    });
  const bytes = again.reduce((sum, change) => sum + change.bytes, 0);
  if (isOrderly && target.sketch.isHealthy && again.length > 0) {
    scene.history.breaks('duplicates', `${target.name} stopped in order, and gets ${again.length} records of ${nameOf(shard.id)} again`);
  }
  const window = target.sketch.delivery.windowBytes ?? Math.max(WINDOW_BYTES, 2 * target.sketch.traits.batch.bytes);
  const record = Math.max(0, ...again.map(change => change.bytes));
  if (bytes <= window + record) return;
  scene.history.breaks('duplicates', `${target.name} gets ${bytes} bytes of ${nameOf(shard.id)} again, more than its window of ${window}`);
}
