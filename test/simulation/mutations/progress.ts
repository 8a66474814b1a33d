/** Laws 1 to 3: what is saved, in which order records come, and what a child waits for. */
import type { Mutation } from './mutation.ts';

const WATERMARK = 'src/pipeline/watermark.ts';
const SINK_RUN = 'src/pipeline/sink-run.ts';
const DISPATCH = 'src/pipeline/dispatch.ts';
const SHARD_PASS = 'src/shards/shard-pass.ts';
const SINK_POSITIONS = 'src/shards/sink-positions.ts';

const OPENED_AT_TIP =
  "const place = from.at === 'tip' && this.#cursor.isAtTip ? ({ type: 'LATEST' } as const) : this.#cursor.iteratorPlace();";

export const progress: readonly Mutation[] = [
  {
    name: 'the head is where the last batch ended, not where everything before it is finished',
    world: 'daemon',
    law: 'law 1',
    patches: [{ file: WATERMARK, from: '    mark.done = true;', to: '    mark.done = true;\n    this.#head = mark.position;' }],
    seeds: 10,
  },
  {
    name: 'what was taken counts as finished: it is saved before it is durable',
    world: 'daemon',
    law: 'law 1',
    patches: [
      {
        file: SINK_RUN,
        from: "    return this.#ending && this.#work.isEmpty ? { at: 'end' } : this.#work.head;",
        to: "    return this.#ending && this.#work.isEmpty ? { at: 'end' } : this.#place;",
      },
    ],
    seeds: 5,
  },
  {
    name: 'a batch whose write had no answer counts as written',
    world: 'daemon',
    law: 'law 1',
    patches: [
      {
        file: 'src/pipeline/retry.ts',
        from: '  return { durable: [], back: written, leastWaitMs: fault.retryAfterMs ?? 0,',
        to: '  return { durable: halt ? [] : written, back: halt ? written : [], leastWaitMs: fault.retryAfterMs ?? 0,',
      },
    ],
    seeds: 20,
  },
  {
    name: 'a record that failed in a batch counts as written with the others',
    world: 'daemon',
    law: 'law 1',
    patches: [
      {
        file: 'src/pipeline/retry.ts',
        from: '      back.push(entry);\n      entry.tries += 1;',
        to: "      if (failure.disposition === 'retry') durable.push(entry);\n      else back.push(entry);\n      entry.tries += 1;",
      },
    ],
    seeds: 60,
  },
  {
    name: 'a position may be lowered, and what was saved is not asked for',
    world: 'daemon',
    law: 'law 1',
    patches: [
      {
        file: 'src/runners/shard-progress.ts',
        from: 'if (before === undefined || comparePositions(position, before) >= 0) all.set',
        to: 'if (before !== position) all.set',
      },
      {
        file: 'src/runners/shard-progress.ts',
        from: 'known.set(sink.name, position);',
        to: "known.set(sink.name, position.at === 'end' ? position : { at: 'start' });",
      },
    ],
    seeds: 5,
  },
  {
    name: 'no next iterator is taken for the end of the shard',
    world: 'daemon',
    law: 'law 4',
    patches: [{ file: SHARD_PASS, from: "if (is !== 'open' && !(is === 'closed' && this.#mayHaveMore()))", to: 'if (is)' }],
    seeds: 100,
    from: 8,
  },
  {
    name: 'a shard that was begun at its tip is opened at the tip of then after a crash',
    world: 'daemon',
    law: 'law 1',
    patches: [{ file: SHARD_PASS, from: 'const place = this.#cursor.iteratorPlace();', to: OPENED_AT_TIP }],
    seeds: 60,
    from: 24,
  },
  {
    name: 'under LATEST a child is opened at its tip',
    world: 'daemon',
    law: 'law 1',
    patches: [
      { file: SHARD_PASS, from: 'const place = this.#cursor.iteratorPlace();', to: OPENED_AT_TIP },
      {
        file: SINK_POSITIONS,
        from: "if (start.position === 'LATEST' && this.#frontierOf(start).has(shardId))",
        to: "if (start.position === 'LATEST')",
      },
    ],
    seeds: 20,
    from: 2,
  },
  {
    name: 'a retry of a save takes other bytes than the first try',
    world: 'fleet',
    law: 'law 1',
    patches: [
      {
        file: 'src/shards/held-lease.ts',
        from: 'store.write(this.#row, wanted, this.#gaveUp.signal)',
        to: 'store.write(this.#row, change(this.#row), this.#gaveUp.signal)',
      },
    ],
    seeds: 100,
    from: 118,
  },
  {
    name: 'a key that is in a batch is cut again: two of one key in flight',
    world: 'daemon',
    law: 'law 2',
    patches: [
      { file: DISPATCH, from: 'if (queue.held > 0 || this.#delayed.has(queue)) return;', to: 'if (this.#delayed.has(queue)) return;' },
    ],
    seeds: 20,
  },
  {
    name: 'what failed is queued behind the later records of its key',
    world: 'daemon',
    law: 'law 2',
    patches: [{ file: DISPATCH, from: 'queue.entries.sort((a, b) => a.ordinal - b.ordinal);', to: '' }],
    seeds: 40,
    from: 6,
  },
  {
    name: 'a write that ignores its abort is not waited for',
    world: 'daemon',
    law: 'law 2',
    patches: [{ file: 'src/pipeline/attempt.ts', from: "if (first === 'unsettled') await sink.waitForUnsettled(write, target);", to: '' }],
    seeds: 40,
    from: 5,
  },
  {
    name: 'the second half of a bisected batch does not wait behind the first',
    world: 'daemon',
    law: 'law 2',
    patches: [
      {
        file: DISPATCH,
        from: 'return head !== undefined && head.ordinal < entry.ordinal;',
        to: 'return head !== undefined && head.ordinal < 0;',
      },
    ],
    seeds: 100,
    from: 6,
  },
  {
    name: 'a batch keeps the first change of a key, not the last',
    world: 'daemon',
    law: 'law 1',
    patches: [{ file: DISPATCH, from: 'const newest = taken.pop();', to: 'const newest = taken.shift();' }],
    seeds: 20,
  },
  {
    name: 'a new stream is begun before the old one has ended',
    world: 'daemon',
    law: 'law 2',
    patches: [{ file: SINK_POSITIONS, from: 'if (!this.#mayBegin(sink)) return false;', to: '' }],
    seeds: 200,
    from: 39,
  },
  {
    name: 'a child does not wait for its parents',
    world: 'daemon',
    law: 'law 3',
    patches: [
      {
        file: SINK_POSITIONS,
        from: "if (parentRow !== undefined) return this.position(parentRow, sink).at === 'end';",
        to: 'if (parentRow !== undefined) return true;',
      },
    ],
    seeds: 10,
    from: 3,
  },
  {
    name: 'a child waits for the first sink that ends its parents, not for each',
    world: 'daemon',
    law: 'law 3',
    patches: [
      {
        file: SINK_POSITIONS,
        from: "if (parentRow !== undefined) return this.position(parentRow, sink).at === 'end';",
        to: "if (parentRow !== undefined) return this.sinks.some(one => this.position(parentRow, one).at === 'end');",
      },
    ],
    seeds: 15,
    from: 4,
  },
  {
    name: 'a sink counts as past every shard that is listed when it begins',
    world: 'daemon',
    law: 'law 3',
    patches: [
      {
        file: SINK_POSITIONS,
        from: 'if (this.#ancestorsOf(start).has(shardId)) return END;',
        to: 'if (this.#ancestorsOf(start).has(shardId) || this.#frontierOf(start).has(shardId)) return END;',
      },
    ],
    seeds: 20,
    from: 3,
  },
];
