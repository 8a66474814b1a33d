/**
 * A worker process's end of the channel to the process that started it: it stops when it is told to, and answers what the admin port is asked. One that
 * has lost the other end stops in order too: nobody would stop, show or restart it any more.
 */
import type { StatusSource } from '../ports/status-source.ts';
import type { Ask, Order, Word } from './process-words.ts';
import type { Stop } from './signals.ts';

export interface Answering {
  readonly source: StatusSource;
  readonly metricsText: () => Promise<string>;
}

/** Call the result once there is something to answer with. */
export function workerEnd(stop: Stop): (answering: Answering) => void {
  const answering = Promise.withResolvers<Answering>();
  process.on('disconnect', () => stop.request('the process that started this one is gone'));
  process.on('message', (order: Order) => {
    if ('stop' in order) stop.request(order.stop);
    else void answerTo(order, answering.promise);
  });
  return given => {
    answering.resolve(given);
    say({ up: true });
  };
}

async function answerTo({ id, ask }: Extract<Order, { id: number }>, answering: Promise<Answering>): Promise<void> {
  try {
    say({ id, answer: await answer(ask, await answering) });
  } catch (error) {
    say({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

function answer(ask: Ask, { source, metricsText }: Answering): unknown {
  switch (ask.what) {
    case 'status':
      return source.status();
    case 'notReady':
      return source.notReady();
    case 'metrics':
      return metricsText();
    case 'pause':
      return source.pause(ask.pipeline, ask.sink);
    case 'resume':
      return source.resume(ask.pipeline, ask.sink);
  }
}

/** Whoever does not listen any more has gone, which is noticed elsewhere. */
function say(word: Word): void {
  process.send?.(word, undefined, undefined, () => {});
}
