/**
 * Law 8: at every look, for every sink, `read` is the sum of all outcomes and what is open; no more counts as written than targets acknowledged; and the
 * gaps that the status counts are durable rows.
 */
import type { SinkStatus, Status } from '../../../../src/model/status.ts';
import type { GapRow } from '../../../../src/ports/control-store.ts';
import { nameOf, PIPELINE, positionOf, type Scene } from '../scene.ts';

export class AccountsCheck {
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  look(status: Status, isOver: boolean): void {
    for (const pipeline of status.pipelines) for (const sink of pipeline.sinks) this.#balances(sink, isOver);
  }

  /** A gap is written down: nothing is lost of a shard that the sink has ended. */
  lost({ partition, streamArn, sinks, gap }: GapRow, before: GapRow | undefined): void {
    const { streams, targets, history } = this.#scene;
    const stream = streams.streams.get(streamArn);
    if (stream === undefined || partition === undefined) return;
    for (const name of sinks) {
      if (before?.sinks.includes(name)) continue;
      const target = targets.find(({ names }) => names.includes(name));
      if (target === undefined || positionOf(this.#scene, target, stream, partition)?.at !== 'end') continue;
      history.breaks('law 8', `a gap (${gap.reason}) of ${nameOf(partition)} is written for ${name}, which has ended it`);
    }
  }

  #balances(sink: SinkStatus, isOver: boolean): void {
    const { read, written, filtered, coalesced, superseded, duplicate, rejected, dropped, released, open } = sink;
    if (read === null) return;
    const { history } = this.#scene;
    const parts = [written, filtered, coalesced, superseded, duplicate, rejected, dropped, released, open];
    const sum = parts.reduce<number>((total, n) => total + (n ?? 0), 0);
    if (sum !== read || parts.some(n => n === null || n < 0))
      history.breaks('law 8', `${sink.name} read ${read}, and its outcomes are ${parts}`);
    if (isOver && open !== 0) history.breaks('law 8', `${sink.name} has ${open} records open after its end`);
    const rows = [...this.#scene.control.gapRows.values()].filter(row => row.pipeline === PIPELINE && row.sinks.includes(sink.name));
    if ((sink.gaps ?? 0) > rows.length) history.breaks('law 8', `${sink.name} counts ${sink.gaps} gaps, and ${rows.length} are durable`);
  }
}
