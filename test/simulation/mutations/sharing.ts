/** Laws 4 to 6: what sinks share, and how much of it. */
import type { Mutation } from './mutation.ts';

const PACE = 'src/pipeline/pace.ts';
const SECOND = 'src/pipeline/second-reading.ts';

export const sharing: readonly Mutation[] = [
  {
    name: 'nobody is detached: the slowest sink sets the pace',
    world: 'daemon',
    law: 'law 4',
    patches: [
      { file: PACE, from: '  const oldest = Math.min(...brisk.map(feed => feed.cursor));', to: '  const oldest = reading.head;' },
      { file: PACE, from: "return brisk.filter(feed => feed.run.sink.state !== 'open');", to: 'return [];' },
    ],
    seeds: 100,
    from: 16,
  },
  {
    name: 'there is no second reading',
    world: 'daemon',
    law: 'completeness',
    patches: [{ file: PACE, from: 'if (feed.hasRest || !feed.run.hasRoom) continue;', to: 'continue;' }],
    seeds: 10,
  },
  {
    name: 'a sink that halts stops the reading for all',
    world: 'daemon',
    law: 'law 4',
    patches: [
      {
        file: 'src/pipeline/main-reading.ts',
        from: 'if (this.#lane.signal.aborted || this.#brisk().length === 0) {',
        to: "while (!this.#lane.signal.aborted && this.#lane.feeds.some(feed => feed.run.sink.state === 'halted')) await this.bell.wait();\n      if (this.#lane.signal.aborted || this.#brisk().length === 0) {",
      },
    ],
    seeds: 40,
    from: 6,
  },
  {
    name: 'sinks that are behind read each for itself',
    world: 'daemon',
    law: 'law 5',
    patches: [
      {
        file: SECOND,
        from: 'if (feed !== undefined) await this.#serve(feed);',
        to: 'if (feed !== undefined) await Promise.all(this.#behind().filter(one => this.#isServed(one)).map(one => this.#serve(one)));',
      },
    ],
    seeds: 60,
  },
  {
    name: 'the bytes of a rest that is dropped are not given back',
    world: 'daemon',
    law: 'law 6',
    patches: [{ file: 'src/pipeline/feed.ts', from: 'for (const slot of rest.slots.slice(rest.next)) this.#release(slot);', to: '' }],
    seeds: 60,
    from: 14,
  },
  {
    name: 'a record that two hold is counted twice when it is let go',
    world: 'daemon',
    law: 'law 6',
    patches: [{ file: 'src/pipeline/budget.ts', from: '    if (slot.holders > 0) return;\n', to: '' }],
    seeds: 3,
  },
  {
    name: 'a reading that ends keeps what it held',
    world: 'daemon',
    law: 'law 6',
    patches: [{ file: 'src/pipeline/main-reading.ts', from: '      reading.close();\n', to: '' }],
    seeds: 3,
  },
  {
    name: 'pages are read without a permit, and sinks take beyond their share',
    world: 'daemon',
    law: 'law 6',
    patches: [
      {
        file: 'src/pipeline/budget.ts',
        from: 'return asked <= this.#permitBytes && this.#usedBytes + asked <= this.limitBytes;',
        to: 'return asked > 0;',
      },
      { file: 'src/pipeline/sink-run.ts', from: 'return this.sink.heldBytes >= this.#parts.budget.shareBytes;', to: 'return false;' },
      { file: 'src/pipeline/sink-run.ts', from: 'return this.#work.windowBytes >= this.plan.windowBytes;', to: 'return false;' },
    ],
    seeds: 60,
    from: 14,
  },
  {
    name: 'a sink takes beyond its window',
    world: 'daemon',
    law: 'duplicates',
    patches: [{ file: 'src/pipeline/sink-run.ts', from: 'return this.#work.windowBytes >= this.plan.windowBytes;', to: 'return false;' }],
    seeds: 150,
    from: 46,
  },
];
