import { expect } from 'chai';
import fc from 'fast-check';
import type { Position } from '../../../src/model/position.ts';
import { Watermark } from '../../../src/pipeline/watermark.ts';

const at = (n: number): Position => ({ at: 'after', token: String(n), changedAt: n });

describe('pipeline/watermark', () => {
  it('non-contiguous-acks: given acks 1, 2, 4, 5 then the head is 2', () => {
    const watermark = new Watermark({ at: 'start' });
    const ordinals = [1, 2, 3, 4, 5].map(n => watermark.enter(at(n), 10, n));
    for (const n of [1, 2, 4, 5]) watermark.finish(ordinals[n - 1] ?? -1);
    expect(watermark.head).to.deep.equal(at(2));
    expect(watermark.windowBytes).to.equal(30);
    expect(watermark.oldestChangedAt).to.equal(3);
  });

  it('finishing twice, or what never entered, is our mistake', () => {
    const watermark = new Watermark({ at: 'start' });
    const ordinal = watermark.enter(at(1), 1, 1);
    watermark.enter(at(2), 1, 1);
    watermark.finish(ordinal + 1);
    expect(() => watermark.finish(ordinal + 1)).to.throw('finished twice');
    expect(() => watermark.finish(7)).to.throw('never entered');
  });

  // Seed 15 of the archive's crashes: a head inside a file that was there already, saved before the next crash, put its last lines twice.
  it('what the target covers moves the head at once, read or not, finished or given up', () => {
    const watermark = new Watermark({ at: 'start' });
    const [one = -1] = [1, 2, 3].map(n => watermark.enter(at(n), 10, n));
    watermark.cover({ at: 'after', token: '5', changedAt: 2 });
    expect(watermark.head).to.deep.include({ token: '5' });
    expect(watermark.isEmpty).to.equal(true);
    expect(watermark.finish(one), 'late news of what is covered').to.equal(false);
    watermark.finish(watermark.enter(at(4), 10, 4));
    expect(watermark.head).to.deep.include({ token: '5' });
    watermark.finish(watermark.enter(at(6), 10, 6));
    expect(watermark.head).to.deep.equal(at(6));
  });

  it('a gap that is not written down yet is covered by nothing', () => {
    const watermark = new Watermark(at(1));
    const hold = watermark.enterHold(at(1), 1);
    watermark.enter(at(2), 10, 2);
    watermark.cover({ at: 'after', token: '4', changedAt: 2 });
    expect(watermark.head).to.deep.equal(at(1));
    watermark.finish(hold);
    expect(watermark.head).to.deep.include({ token: '4' });
  });

  it('in any order of finishing, the head is always the contiguous prefix', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.infiniteStream(fc.nat()), (count, picks) => {
        const watermark = new Watermark(at(0));
        const open = Array.from({ length: count }, (_, i) => watermark.enter(at(i + 1), 1, i + 1));
        const done = new Set<number>();
        let prefix = 0;
        while (open.length > 0) {
          const [ordinal = -1] = open.splice((picks.next().value ?? 0) % Math.min(open.length, 50), 1);
          watermark.finish(ordinal);
          done.add(ordinal);
          while (done.has(prefix)) prefix += 1;
          expect(watermark.head).to.deep.equal(at(prefix));
          expect(watermark.windowBytes).to.equal(count - prefix);
        }
        expect(watermark.isEmpty).to.equal(true);
      }),
      { numRuns: 30 },
    );
  });
});
