import { expect } from 'chai';
import type { StreamCalls } from '../../../src/adapters/dynamodb-streams.ts';
import { timedStreams } from '../../../src/adapters/timed-streams.ts';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';

const ANSWER = { json: {}, text: '{}', bytes: 2, servedAt: 1 };
const hangs = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new ServiceFault('AbortError', 'aborted', { class: 'aborted' })));
  });

describe('streams in time', () => {
  const setUp = (call: StreamCalls['call']) => {
    const clock = virtualClock();
    const calls = timedStreams({ call, region: async () => 'eu-west-1', keySchema: (_table, signal) => hangs(signal) }, clock);
    return { clock, calls };
  };
  const never = new AbortController().signal;

  it('gives up a call that has no answer within 10 s, as one without an answer', async () => {
    let broken = false;
    const { clock, calls } = setUp((_operation, _request, signal) => {
      signal.addEventListener('abort', () => {
        broken = true;
      });
      return hangs(signal);
    });
    const [read, keys] = [calls.call('GetRecords', {}, never), calls.keySchema('orders', never)].map(call =>
      call.catch((error: unknown) => error),
    );
    await clock.advance(9_999);
    expect(broken).to.equal(false);
    await clock.advance(1);
    expect(broken).to.equal(true);
    expect(await read).to.include({ name: 'TimeoutError', class: 'network', message: 'GetRecords had no answer within 10000 ms' });
    expect(await keys).to.include({ name: 'TimeoutError', message: 'DescribeTable had no answer within 10000 ms' });
  });

  it('gives answers and faults as they come, and leaves no timer behind', async () => {
    const { clock, calls } = setUp(async operation => {
      if (operation === 'GetRecords') return ANSWER;
      throw new ServiceFault('ResourceNotFoundException', 'no', { class: 'missing' });
    });
    expect(await calls.call('GetRecords', {}, never)).to.equal(ANSWER);
    expect(await calls.call('DescribeStream', {}, never).catch((error: unknown) => error)).to.include({ class: 'missing' });
    await clock.advance(60_000);
  });

  it('an abort from outside stays an abort', async () => {
    const stop = new AbortController();
    const { calls } = setUp((_operation, _request, signal) => hangs(signal));
    const read = calls.call('GetRecords', {}, stop.signal).catch((error: unknown) => error);
    stop.abort();
    expect(await read).to.include({ class: 'aborted' });
  });
});
