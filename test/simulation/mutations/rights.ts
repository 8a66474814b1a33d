/** Laws 7 and 8: who may write, and what is told. */
import type { Mutation } from './mutation.ts';

const HELD = 'src/shards/held-lease.ts';
const CURSOR = 'src/shards/shard-cursor.ts';

export const rights: readonly Mutation[] = [
  {
    name: 'no lease fences itself: only a refused write says that it is lost',
    world: 'fleet',
    law: 'law 7',
    patches: [{ file: HELD, from: "if (this.#state === 'held' && this.ageMs >= this.#validMs) this.#lose('expired');", to: '' }],
    seeds: 100,
    from: 49,
  },
  {
    name: 'the right to write is not looked at before each write',
    world: 'fleet',
    law: 'law 7',
    patches: [{ file: 'src/runners/shard-opening.ts', from: 'mayWrite: () => lease.check(),', to: 'mayWrite: () => true,' }],
    seeds: 600,
    from: 250,
  },
  {
    name: 'a row that a live owner renews is taken',
    world: 'fleet',
    law: 'law 7',
    patches: [
      {
        file: 'src/shards/sightings.ts',
        from: 'now - sighting.since >= durationMs) keys.add(key)',
        to: 'now - sighting.since >= durationMs / 4) keys.add(key)',
      },
    ],
    seeds: 50,
    from: 18,
  },
  {
    name: 'a refused row is adopted',
    world: 'fleet',
    law: 'law 7',
    patches: [
      {
        file: HELD,
        from: "this.#lose(answer.row === undefined ? 'row-gone' : 'refused');",
        to: 'return this.#adopt(answer.row ?? this.#row, first);',
      },
    ],
    seeds: 50,
    from: 2,
  },
  {
    name: 'the age of a lease is counted from its answer',
    world: 'fleet',
    law: 'law 7',
    patches: [
      {
        file: HELD,
        from: "if (answer.is === 'written') return this.#adopt(answer.row, sent);",
        to: "if (answer.is === 'written') return this.#adopt(answer.row, this.#now());",
      },
    ],
    seeds: 1000,
    from: 174,
  },
  {
    name: 'writes of a lease that is lost go on',
    world: 'fleet',
    law: 'law 2',
    patches: [{ file: 'src/pipeline/attempt.ts', from: "  signal.addEventListener('abort', giveUp);", to: '' }],
    seeds: 1000,
    from: 235,
  },
  {
    name: 'a lease is given back before its writes have settled',
    world: 'fleet',
    law: 'law 7',
    patches: [
      { file: 'src/runners/shard-run.ts', from: '    await this.#run?.stop(drainMs);', to: '    void this.#run?.stop(drainMs);' },
      {
        file: 'src/runners/shard-run.ts',
        from: 'const settled = this.#run?.settled() ?? Promise.resolve();',
        to: 'const settled = Promise.resolve();',
      },
    ],
    seeds: 50,
    from: 13,
  },
  {
    name: 'records that were trimmed before they were read leave no gap',
    world: 'daemon',
    law: 'law 8',
    patches: [
      { file: CURSOR, from: 'const gap = hole === undefined || this.#adjoins(first) ?', to: 'const gap = hole === undefined || first ?' },
    ],
    seeds: 40,
    from: 9,
  },
  {
    name: 'a shard that went before it was read to its end leaves no gap',
    world: 'daemon',
    law: 'law 8',
    patches: [
      {
        file: 'src/shards/shard-pass.ts',
        from: 'if (isLost) return { records: [], gap: this.#cursor.restLost(servedAt), end: true };',
        to: 'if (isLost) return { records: [], end: true };',
      },
    ],
    seeds: 150,
    from: 9,
  },
  {
    name: 'what lies behind a gap is saved before the gap is',
    world: 'daemon',
    law: 'law 8',
    patches: [
      { file: 'src/pipeline/sink-run.ts', from: 'const written = this.#work.enterGap(this.#place);', to: 'const written = () => {};' },
    ],
    seeds: 600,
    from: 335,
  },
  {
    name: 'a gap is counted and logged, and not kept',
    world: 'daemon',
    law: 'law 8',
    patches: [
      {
        file: 'src/runners/gap-book.ts',
        from: "await persist(() => control.addGap(row, signal), { ...this.#parts, what: 'the control table, to keep a gap' }, signal);",
        to: 'await undefined;',
      },
    ],
    seeds: 30,
    from: 9,
  },
  {
    name: 'shards that came and went while nobody looked leave no gap',
    world: 'daemon',
    law: 'completeness',
    patches: [
      { file: 'src/runners/unseen-shards.ts', from: 'await gaps.lose({ streamArn, partition: parent, sinks: lost, gap }, parts);', to: '' },
    ],
    seeds: 300,
    from: 44,
  },
  {
    name: 'a replaced stream that was read by the others is not opened again for a sink that was disabled',
    world: 'fleet',
    law: 'completeness',
    patches: [{ file: 'src/runners/table-streams.ts', from: ' || withRows.has(arn)', to: '' }],
    seeds: 10_000,
    from: 5689,
  },
  {
    name: 'what a run gives up is not accounted for',
    world: 'daemon',
    law: 'law 8',
    patches: [{ file: 'src/pipeline/open-work.ts', from: "this.#account('released', entries.length);", to: '' }],
    seeds: 12,
  },
  {
    name: 'what was coalesced is counted as the batch that stands for it',
    world: 'daemon',
    law: 'law 8',
    patches: [
      {
        file: 'src/pipeline/accounts.ts',
        from: 'this.counts[outcome] += records;',
        to: "if (outcome !== 'coalesced') this.counts[outcome] += records;",
      },
    ],
    seeds: 15,
  },
];
