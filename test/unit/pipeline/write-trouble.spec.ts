import { expect } from 'chai';
import { SinkFault, type Written } from '../../../src/connector.ts';
import { WriteTrouble } from '../../../src/pipeline/write-trouble.ts';
import { keptLog } from '../../fakes/lease-world.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';

const failed = (reason: string, disposition: 'retry' | 'halt' = 'retry') => new SinkFault(disposition, reason);
const answered = (...reasons: readonly string[]): Written => ({
  failed: reasons.map((reason, index) => ({ index, disposition: 'retry', reason })),
});

describe('pipeline/write-trouble', () => {
  function setUp() {
    const clock = virtualClock();
    const log = keptLog();
    const said = () => log.lines.filter(({ level }) => level !== 'debug').map(({ level, message }) => `${level} ${message}`);
    return { clock, said, trouble: new WriteTrouble(log, clock) };
  }

  it('a target that is down for two minutes is worth three lines and one at its end, with the reason', async () => {
    const { clock, said, trouble } = setUp();
    for (let second = 0; second < 121; second += 1) {
      trouble.hear(failed('connection refused'));
      await clock.advance(1000);
    }
    trouble.hear(answered());
    trouble.hear(answered());
    const warning = 'warn writes fail and are tried again: connection refused';
    expect(said()).to.deep.equal([warning, warning, warning, 'info writes succeed again']);
  });

  it('the reason is there while writes fail', async () => {
    const { clock, trouble } = setUp();
    expect(trouble.reason).to.equal(null);
    trouble.hear(failed('connection refused'));
    await clock.advance(1000);
    trouble.hear(failed('no answer within 10 s'));
    expect(trouble.reason).to.equal('writes fail and are tried again: no answer within 10 s');
    trouble.hear(answered());
    expect(trouble.reason).to.equal(null);
  });

  it('one that throttles now and then says so once a minute', async () => {
    const { clock, said, trouble } = setUp();
    for (let n = 0; n < 100; n += 1) {
      trouble.hear(n % 2 === 0 ? answered('slow down') : answered());
      await clock.advance(100);
    }
    expect(said()).to.deep.equal(['warn writes fail and are tried again: slow down']);
  });

  it('what halts the sink is told elsewhere', () => {
    const { said, trouble } = setUp();
    trouble.hear(failed('no permission', 'halt'));
    expect(said()).to.deep.equal([]);
  });
});
