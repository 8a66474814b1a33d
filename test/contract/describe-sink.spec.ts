/** The contract suite itself: an honest connector passes all of it, and each kind of lie is found by the case that is there for it. */
import { expect } from 'chai';
import { FakeLog, fakeLogConnector, type Lie } from '../fakes/fake-log.ts';
import { describeSink, sinkCases } from './describe-sink.ts';
import type { SinkSuite } from './sink/suite.ts';

function fakeLogSuite(lie?: Lie): SinkSuite<object> {
  let log = new FakeLog();
  return {
    connector: fakeLogConnector(() => log, lie),
    sample: {},
    target: async () => {
      log = new FakeLog();
      return log.target;
    },
    promises: {
      keeps: 'log',
      partialFailure: 'by-index',
      replay: 'duplicates',
      tombstones: false,
      exactImages: true,
      recordLimit: { fits: 5_000, tooLarge: 20_000 },
    },
    cannot: {},
    quietMs: 25,
  };
}

describeSink('fake log', fakeLogSuite());

const FOUND_BY: Readonly<Record<Lie, RegExp>> = {
  'acks what failed': /^calls nothing durable/,
  'acks half': /^calls nothing durable/,
  'acks what hangs': /^settles soon after an abort/,
  'swaps two records of a key': /^delivers every change/,
  'sends after the abort': /^settles soon after an abort/,
  'ignores the abort': /^settles soon after an abort/,
  'names only the first failed record': /^names the failed records/,
  'names the wrong record': /^names the failed records/,
  'refuses neighbours too': /^refuses a record that is too large/,
  'refuses without a size': /^refuses a record that is too large/,
  'halts when throttled': /^asks for a retry/,
  'does not count throttles': /^asks for a retry/,
  'retries when denied': /^halts without a permission/,
  'loses an attribute': /^carries every kind of value/,
  'loses images that are empty': /view type KEYS_ONLY/,
  'writes twice': /^delivers every change/,
  'throws when closed twice': /^closes twice/,
  'cannot be opened again': /^goes on after it was closed/,
  'never closes while hanging': /^closes while the target hangs/,
  'takes any option': /^refuses an option/,
};

describe('the contract suite of sinks', function () {
  this.timeout(20_000);

  for (const [lie, title] of Object.entries(FOUND_BY) as [Lie, RegExp][]) {
    it(`finds a sink that ${lie}`, async () => {
      const found = sinkCases(fakeLogSuite(lie)).filter(it => title.test(it.title));
      expect(found).to.have.length(1);
      const error = await found[0]?.run().then(
        () => undefined,
        (reason: Error) => reason,
      );
      expect(error).to.be.instanceOf(Error);
    });
  }

  it('finds a fault that is neither made nor declared, and one that is both', async () => {
    const suite = fakeLogSuite();
    const declares = (given: SinkSuite<object>) =>
      sinkCases(given)
        .find(it => /every fault|cannot show/.test(it.title))
        ?.run();
    const without = { ...suite, target: async () => ({ options: {}, readBack: async () => [] }) };
    for (const bad of [without, { ...suite, cannot: { hang: 'it never does' } }]) {
      const error = await declares(bad)?.then(
        () => undefined,
        (reason: Error) => reason.message,
      );
      expect(error).to.include('is either made by the target or declared');
    }
  });
});
