import { expect } from 'chai';
import { type LineTarget, LogLines } from '../../../src/adapters/log-lines.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';

class Target implements LineTarget {
  text = '';
  pausedMs = 0;
  /** Of each write: how many bytes it takes, or what it fails with. */
  takes: (number | string)[] = [];
  pending: (() => void) | undefined;
  holds = false;

  write(bytes: Buffer, done: (error: NodeJS.ErrnoException | null, written: number) => void): void {
    this.pending = () => {
      this.pending = undefined;
      try {
        done(null, this.writeSync(bytes));
      } catch (error) {
        done(error as NodeJS.ErrnoException, 0);
      }
    };
    if (!this.holds) this.pending();
  }

  writeSync(bytes: Buffer): number {
    const take = this.takes.shift() ?? bytes.length;
    if (typeof take === 'string') throw Object.assign(new Error(take), { code: take });
    this.text += bytes.subarray(0, take).toString();
    return Math.min(take, bytes.length);
  }

  pause(ms: number): void {
    this.pausedMs += ms;
  }
}

function setUp() {
  const [target, clock] = [new Target(), virtualClock()];
  return { target, clock, lines: new LogLines(target, clock) };
}

describe('log lines', () => {
  it('are written in order, also in pieces and after a stderr that had no room', async () => {
    const { target, clock, lines } = setUp();
    target.takes = [2, 'EAGAIN', 1];
    for (const line of ['one\n', 'two\n', 'three\n']) lines.write(line);
    await clock.advance(1_000);
    expect(target.text).to.equal('one\ntwo\nthree\n');
  });

  it('behind one that is under way go out together, and at the end at once', () => {
    const { target, lines } = setUp();
    target.holds = true;
    for (const line of ['one\n', 'two\n', 'three\n']) lines.write(line);
    target.pending?.();
    expect(target.text).to.equal('one\n');
    target.pending?.();
    expect(target.text).to.equal('one\ntwo\nthree\n');
    target.holds = false;
    target.takes = ['EAGAIN', 'EAGAIN'];
    for (const line of ['four\n', 'five\n']) lines.write(line);
    expect(target.text).to.equal('one\ntwo\nthree\n');
    lines.flush();
    expect(target.text).to.equal('one\ntwo\nthree\nfour\nfive\n');
  });

  it('are lost when stderr cannot be written, and the next one tries anew', async () => {
    const { target, clock, lines } = setUp();
    target.takes = ['ENOSPC'];
    lines.write('lost\n');
    lines.write('kept\n');
    await clock.advance(1_000);
    expect([target.text, clock.pending]).to.deep.equal(['kept\n', 0]);
  });

  it('never hold up the end: not where the terminal has gone, nor where nobody reads', () => {
    for (const [code, pausedMs] of [
      ['EIO', 0],
      ['EPIPE', 0],
      ['ENOSPC', 0],
      ['EAGAIN', 200],
    ] as const) {
      const { target, lines } = setUp();
      target.holds = true;
      lines.write('under way\n');
      lines.write('waits\n');
      target.takes = Array.from({ length: 100 }, () => code);
      lines.flush();
      expect([target.text, target.pausedMs], code).to.deep.equal(['', pausedMs]);
    }
  });

  it('beyond a limit are lost, and memory is not', () => {
    const { target, lines } = setUp();
    target.holds = true;
    const line = `${'x'.repeat(1023)}\n`;
    for (let i = 0; i < 10_000; i += 1) lines.write(line);
    for (let i = 0; i < 1_000 && target.pending; i += 1) target.pending();
    expect(target.text.length).to.be.within(4 * 1024 * 1024, 4 * 1024 * 1024 + 1024);
  });
});
