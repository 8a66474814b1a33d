import { expect } from 'chai';
import type { Page } from '../../../src/model/page.ts';
import { compareTokens, type Position } from '../../../src/model/position.ts';
import type { Reader } from '../../../src/ports/reader.ts';
import { memoryProgress, ScriptedTarget, simpleRecord, startWorld } from '../../fakes/pipeline-world.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';

const PAGE = 2;
const records = Array.from({ length: 60 }, (_, i) => simpleRecord(i + 1, `k${i % 7}`));
const TIP: Position = { at: 'tip', takenAt: 1_000 };
const START: Position = { at: 'start' };
const behind = (n: number): Position => ({ at: 'after', token: simpleRecord(n, 'k').token, changedAt: 0 });

/** A closed partition with its tip after the 40th record: from the tip it is read from its oldest record, and what lies before is passed over. */
function withTip(tip = 40): Reader & { reads: number } {
  const firstOf = (from: Position): number => {
    const token = from.at === 'after' ? from.token : from.at === 'tip' ? from.readTo : undefined;
    return token === undefined ? 0 : records.findIndex(record => compareTokens(record.token, token) > 0) % (records.length + 1);
  };
  return {
    partition: 'shard-1',
    reads: 0,
    async *pages(from, signal, permit = async () => true): AsyncGenerator<Page> {
      const first = firstOf(from);
      for (let at = first < 0 ? records.length : first; ; at += PAGE) {
        if (signal.aborted || !(await permit())) return;
        this.reads += 1;
        const read = records.slice(at, at + PAGE);
        const wanted = from.at === 'tip' ? read.filter(record => Number(record.token) > tip) : read;
        const last = read.at(-1);
        if (last === undefined) {
          // As a server that gives no more records, and says that it was the end only when it is asked again.
          yield { records: [], atTip: true };
          if (!signal.aborted && (await permit())) yield { records: [], end: true };
          return;
        }
        yield { records: wanted, ...(wanted.length === 0 && { readTo: last.token }) };
      }
    },
  };
}

describe('pipeline: tips and ends', () => {
  async function delivered(starts: Readonly<Record<string, Position>>, reader = withTip()) {
    const clock = virtualClock();
    const progress = memoryProgress();
    const targets = Object.fromEntries(Object.keys(starts).map(sink => [sink, new ScriptedTarget()]));
    const world = await startWorld({ clock, reader, progress, targets, startAt: sink => starts[sink] ?? START });
    await clock.runUntil(world.run.done, { maxMs: 60_000 });
    return Object.fromEntries(
      Object.entries(targets).map(([name, target]) => [name, target.delivered.map(record => Number(record.token)).sort((a, b) => a - b)]),
    );
  }

  const from = (n: number) => Array.from({ length: 60 - n }, (_, i) => n + 1 + i);

  it('a sink at the tip is not given what lies before, though another reads from the start', async () => {
    expect(await delivered({ lead: behind(55), old: START, latest: TIP })).to.deep.equal({
      lead: from(55),
      old: from(0),
      latest: from(40),
    });
  });

  it('a sink further back misses nothing when another is read for from the tip', async () => {
    expect(await delivered({ lead: behind(55), back: behind(30), latest: TIP })).to.deep.equal({
      lead: from(55),
      back: from(30),
      latest: from(40),
    });
  });

  it('what lies before the tip is passed over once, however long it is', async () => {
    const reader = withTip();
    expect(await delivered({ lead: behind(50), latest: TIP, other: behind(20) }, reader)).to.have.deep.property('latest', from(40));
    expect(reader.reads).to.be.below(100);
  });

  it('sinks that are behind at one place all see the end', async () => {
    const ends = { a: behind(60), b: behind(60), lead: behind(60), slow: behind(58) };
    expect(await delivered(ends)).to.deep.equal({ a: [], b: [], lead: [], slow: [59, 60] });
  });
});
