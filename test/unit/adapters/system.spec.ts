import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { dateOf, epochOf, isoText, systemClock, systemRandom } from '../../../src/adapters/system.ts';

describe('system clock', () => {
  it('tells wall time and a monotonic time', () => {
    expect(systemClock.now()).to.be.closeTo(Date.now(), 1000);
    const first = systemClock.elapsed();
    expect(systemClock.elapsed()).to.be.at.least(first);
  });

  it('wakes a sleeper at once when the signal aborts, and takes its listener away', async () => {
    const stop = new AbortController();
    const slept = systemClock.sleep(3_600_000, stop.signal);
    expect(getEventListeners(stop.signal, 'abort')).to.have.length(1);
    stop.abort();
    await slept;
    expect(getEventListeners(stop.signal, 'abort')).to.be.empty;
    await systemClock.sleep(3_600_000, stop.signal);
  });

  it('takes the listener away after an undisturbed sleep', async () => {
    const { signal } = new AbortController();
    await systemClock.sleep(1, signal);
    expect(getEventListeners(signal, 'abort')).to.be.empty;
  });

  it('does not fire a timer that was cancelled, nor one of more than 24 days at once', async () => {
    const fired: string[] = [];
    const cancel = systemClock.after(1, () => fired.push('cancelled'));
    const cancelLong = systemClock.after(40 * 86_400_000, () => fired.push('long'));
    cancel();
    await systemClock.sleep(5, new AbortController().signal);
    cancelLong();
    expect(fired).to.be.empty;
  });

  it('keeps no process alive by a timer', () => {
    const before = process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
    const cancel = systemClock.after(3_600_000, () => {});
    expect(process.getActiveResourcesInfo().filter(name => name === 'Timeout').length).to.equal(before);
    cancel();
  });
});

describe('system random', () => {
  it('gives fractions and UUIDs', () => {
    expect(systemRandom.next()).to.be.within(0, 1);
    expect(systemRandom.uuid()).to.match(/^[0-9a-f-]{36}$/);
  });
});

describe('calendar text', () => {
  it('reads an HTTP date and a stream label, and nothing else', () => {
    expect(epochOf('Mon, 23 Nov 2026 01:02:03 GMT')).to.equal(Date.UTC(2026, 10, 23, 1, 2, 3));
    expect(epochOf('2026-11-23T01:02:03.004Z')).to.equal(Date.UTC(2026, 10, 23, 1, 2, 3, 4));
    expect(epochOf('soon')).to.equal(undefined);
    expect(epochOf(undefined)).to.equal(undefined);
  });

  it('writes ISO text and dates', () => {
    expect(isoText(0)).to.equal('1970-01-01T00:00:00.000Z');
    expect(dateOf(5).getTime()).to.equal(5);
  });
});
