import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import type { Dispatcher } from 'undici';
import { exchange } from '../../../src/adapters/fast-exchange.ts';

const REQUEST = { path: '/', headers: [], body: Buffer.from('{}') };

/** A pool of connections that does with each request what it is told. */
function pool(does: (handler: Required<Dispatcher.DispatchHandler>, controller: Dispatcher.DispatchController) => void) {
  const aborted: unknown[] = [];
  const dispatch = (_options: unknown, handler: Required<Dispatcher.DispatchHandler>) => {
    const controller = {
      abort(reason: Error) {
        aborted.push(reason);
        handler.onResponseError(controller as never, reason);
      },
    };
    does(handler, controller as never);
    return true;
  };
  return { dispatcher: { dispatch } as unknown as Dispatcher, aborted };
}

const answers = pool((handler, controller) => {
  handler.onRequestStart(controller, {});
  handler.onResponseStart(controller, 200, {}, 'OK');
  handler.onResponseData(controller, Buffer.from('{"a":'));
  handler.onResponseData(controller, Buffer.from('1}'));
  handler.onResponseEnd(controller, {});
});

describe('HTTP exchange', () => {
  it('gives the whole answer', async () => {
    const answer = await exchange(answers.dispatcher, REQUEST, new AbortController().signal);
    expect(answer.body.toString()).to.equal('{"a":1}');
  });

  it('leaves no listener on one signal after 100,000 requests, good and bad', async () => {
    const { signal } = new AbortController();
    const breaks = pool((handler, controller) => handler.onResponseError(controller, new Error('broken')));
    for (let i = 0; i < 100_000; i++) {
      await exchange((i % 10 === 0 ? breaks : answers).dispatcher, REQUEST, signal).catch(() => {});
    }
    expect(getEventListeners(signal, 'abort')).to.be.empty;
  });

  it('breaks the connection before it settles', async () => {
    const stop = new AbortController();
    const hangs = pool((handler, controller) => handler.onRequestStart(controller, {}));
    const settled = exchange(hangs.dispatcher, REQUEST, stop.signal).then(
      () => 'answered',
      () => hangs.aborted.length,
    );
    stop.abort();
    expect(await settled).to.equal(1);
    expect(getEventListeners(stop.signal, 'abort')).to.be.empty;
  });

  it('settles at once when aborted before it was sent, and takes itself back when its turn comes', async () => {
    const stop = new AbortController();
    let turn: (() => void) | undefined;
    const waits = pool((handler, controller) => {
      turn = () => handler.onRequestStart(controller, {});
    });
    const waiting = exchange(waits.dispatcher, REQUEST, stop.signal).catch((reason: { class: string }) => reason.class);
    stop.abort();
    expect(await waiting).to.equal('aborted');
    turn?.();
    expect(waits.aborted).to.have.length(1);
  });

  it('does not begin under a signal that is aborted already', async () => {
    const never = pool(() => {
      throw new Error('it was sent');
    });
    const reason = await exchange(never.dispatcher, REQUEST, AbortSignal.abort()).catch((fault: { class: string }) => fault.class);
    expect(reason).to.equal('aborted');
  });
});
