/**
 * Law 3: when a write of a child's records begins, that sink's end of every ancestor is durable, or the ancestor counts as ended for it: trimmed as a
 * whole, or before the place at which the sink began. And, of law 7: the row of the shard names the process that writes, when a write begins and when it
 * lands. Who was robbed by a stranger hears of it at its next save.
 */
import type { ChangeRecord } from '../../../../src/model/change-record.ts';
import { leaseKey } from '../../../../src/ports/lease-store.ts';
import type { FakeShard, FakeStream } from '../../../fakes/fake-stream.ts';
import type { Life } from '../life.ts';
import { ancestorsOf, DAY_MS, nameOf, positionOf, type Scene, STRANGER, startOf, streamOf } from '../scene.ts';
import type { Target, Write } from '../target.ts';

export class LineageCheck {
  readonly #scene: Scene;
  /** Shards whose ancestors are known to have ended, by target. */
  readonly #passed = new Set<string>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  begins(target: Target, life: Life, records: readonly ChangeRecord[]): void {
    const [record] = records;
    if (record === undefined) return;
    const stream = streamOf(this.#scene, record);
    const shardId = record.source.partition;
    this.#owner(target, life, { stream, shardId });
    const id = `${target.sketch.id} ${shardId}`;
    if (this.#passed.has(id)) return;
    for (const ancestor of ancestorsOf(stream, shardId)) {
      if (this.#hasEnded(target, stream, ancestor)) continue;
      const what = `${target.name} is given records of ${nameOf(shardId)}, and its end of ${nameOf(ancestor.id)} is not saved`;
      this.#scene.history.breaks('law 3', what);
      return;
    }
    this.#passed.add(id);
  }

  /** What a process that is alive and awake has not aborted, it means to write. */
  landed(target: Target, { life, isLoose }: Write, records: readonly ChangeRecord[]): void {
    const [record] = records;
    if (record === undefined || isLoose() || !life.process.isAwake) return;
    this.#owner(target, life, { stream: streamOf(this.#scene, record), shardId: record.source.partition });
  }

  #owner(target: Target, life: Life, { stream, shardId }: { stream: FakeStream; shardId: string }): void {
    const owner = this.#scene.leases.rows.get(leaseKey(stream.arn, shardId))?.owner;
    if (owner === life.worker || owner === STRANGER) return;
    this.#scene.history.breaks('law 7', `${life.worker} writes ${nameOf(shardId)} to ${target.name}, and the row's owner is ${owner}`);
  }

  #hasEnded(target: Target, stream: FakeStream, ancestor: FakeShard): boolean {
    const position = positionOf(this.#scene, target, stream, ancestor.id);
    if (position?.at === 'end') return true;
    if (stream.isGone(ancestor, DAY_MS)) return true;
    const start = startOf(this.#scene, target, stream);
    return start?.frontier.some(shard => ancestorsOf(stream, shard).includes(ancestor)) === true;
  }
}
