import { expect } from 'chai';
import type { Gap, Page } from '../../../src/model/page.ts';
import { compareTokens, type Position } from '../../../src/model/position.ts';
import type { Reader } from '../../../src/ports/reader.ts';
import { memoryProgress, ScriptedTarget, simpleRecord, startWorld } from '../../fakes/pipeline-world.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';

const behind = (n: number): Position => ({ at: 'after', token: simpleRecord(n, 'k').token, changedAt: 0 });

/** A partition whose records up to `held` are gone: whoever reads from before loses something, and says so. */
function trimmed(records: readonly ReturnType<typeof simpleRecord>[], held: number): Reader {
  const left = records.filter((_, i) => i + 1 >= held);
  const gapOf = (from: Position): Gap | undefined => {
    const next = left[0]?.token;
    const place = from.at === 'after' ? from.token : '';
    const isLost = next === undefined || (from.at === 'after' && Number(next) > Number(place) + 1);
    return isLost ? { reason: 'trimmed', from: place, at: 0, note: 'test' } : undefined;
  };
  return {
    partition: 'shard-1',
    async *pages(from, signal, permit = async () => true): AsyncGenerator<Page> {
      if (signal.aborted || !(await permit())) return;
      const gap = gapOf(from);
      const read = left.filter(record => from.at !== 'after' || compareTokens(record.token, from.token) > 0);
      yield { records: read, end: true, ...(gap && { gap }) };
    },
  };
}

describe('pipeline: gaps', () => {
  const records = Array.from({ length: 20 }, (_, i) => simpleRecord(i + 1, 'k'));

  async function found(reader: Reader, positions: Readonly<Record<string, Position>>) {
    const clock = virtualClock();
    const progress = memoryProgress();
    for (const [sink, position] of Object.entries(positions)) progress.positions.set(sink, position);
    const targets = Object.fromEntries(Object.keys(positions).map(sink => [sink, new ScriptedTarget()]));
    const world = await startWorld({ clock, reader, progress, targets });
    await clock.runUntil(world.run.done);
    expect([...progress.positions.values()].every(({ at }) => at === 'end')).to.equal(true);
    return Object.fromEntries(world.gaps.flatMap(({ sinks, gap }) => sinks.map(sink => [sink, gap.from])));
  }

  const token = (n: number) => simpleRecord(n, 'k').token;

  it('what was lost behind the last record is lost to every sink that ends there', async () => {
    const nothingLeft = trimmed(records, 21);
    expect(await found(nothingLeft, { a: behind(5), b: behind(5), c: behind(3) })).to.deep.equal({ a: token(5), b: token(5), c: token(3) });
  });

  it('each sink that is behind finds out from its own place', async () => {
    const gaps = await found(trimmed(records, 12), { lead: behind(15), early: behind(3), near: behind(11), mid: behind(8) });
    expect(gaps).to.deep.equal({ early: token(3), mid: token(8) });
  });

  it('a stop waits for a gap that is being written down, or what was written behind it would come again', async () => {
    const clock = virtualClock();
    const progress = memoryProgress();
    progress.positions.set('a', behind(5));
    const world = await startWorld({
      clock,
      reader: trimmed(records, 12),
      progress,
      targets: { a: new ScriptedTarget() },
      gapMs: 500,
    });
    await clock.advance(100);
    void world.run.stop(5_000);
    await clock.runUntil(world.run.done);
    expect([clock.elapsed() >= 500, clock.elapsed() < 1_000, progress.positions.get('a')]).to.deep.equal([true, true, { at: 'end' }]);
  });
});
