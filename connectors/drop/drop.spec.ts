/** The connector that does nothing, held to the contract as far as nothing can be. */
import { describeSink } from '../../test/contract/describe-sink.ts';
import drop from './index.ts';

const NO_TARGET = 'there is no target';

describeSink('drop', {
  connector: drop,
  sample: {},
  target: async () => ({ options: {}, readBack: async () => [] }),
  promises: {
    keeps: 'nothing',
    partialFailure: 'whole-batch',
    replay: 'harmless',
    tombstones: false,
    exactImages: false,
    recordLimit: { none: 'nothing is too large for nothing' },
  },
  cannot: {
    hang: NO_TARGET,
    refuse: NO_TARGET,
    loseAnswers: NO_TARGET,
    throttle: NO_TARGET,
    failRecords: NO_TARGET,
    deny: NO_TARGET,
    remove: NO_TARGET,
  },
  quietMs: 0,
});
