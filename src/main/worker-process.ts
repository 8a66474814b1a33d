/**
 * One worker process, as seen by the process that started it: the same command line once more, with its number. What it prints goes on line by line, so
 * that lines of several processes never mix; asking one that does not answer costs one message, however often it is asked.
 */
import { fork } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ask, Order, Word } from './process-words.ts';
import { textsToHandOver } from './settings-texts.ts';

export interface WorkerEnding {
  /** Null: ended by a signal. */
  readonly code: number | null;
  /** For people: `exit 1`, `SIGKILL`. */
  readonly how: string;
}

export interface WorkerProcess {
  /** Null when it could not be started. */
  readonly pid: number | null;
  readonly ended: Promise<WorkerEnding>;
  /** It has started, and can be asked. */
  readonly isUp: boolean;
  /** Rejects when it does not answer in time. */
  ask(ask: Ask): Promise<unknown>;
  /** In order. */
  stop(why: string): void;
  kill(): void;
}

const PATIENCE_MS: Ms = 5_000;
/** A line longer than this goes on in pieces. */
const LINE_BYTES = 1024 * 1024;

/** Of a stream that has taken all, and of one that takes nothing any more. */
const WAKERS = ['drain', 'error', 'close'] as const;

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  isLate: boolean;
}

export function startWorker(number: number, clock: Clock): WorkerProcess {
  const [, main = '', ...args] = process.argv;
  const outputs = [process.stdout, process.stderr].map(stream => (stream.isTTY ? 'inherit' : 'pipe'));
  const child = fork(main, [...args, '--process', String(number)], {
    stdio: ['pipe', ...outputs, 'ipc'] as ('inherit' | 'pipe' | 'ipc')[],
  });
  // One that has ended before it has read them says so by its end.
  child.stdin?.on('error', () => {}).end(textsToHandOver());
  if (child.stdout !== null) passLines(child.stdout, process.stdout);
  if (child.stderr !== null) passLines(child.stderr, process.stderr);
  const waiting = new Map<number, Waiting>();
  let [isUp, asked] = [false, 0];
  const tell = (order: Order) => child.connected && child.send(order, () => {});
  child.on('message', (word: Word) => {
    if ('up' in word) {
      isUp = true;
      return;
    }
    const one = waiting.get(word.id);
    waiting.delete(word.id);
    if ('error' in word) one?.reject(new Error(word.error));
    else one?.resolve(word.answer);
  });
  const ended = new Promise<WorkerEnding>(resolve => {
    child.once('error', error => resolve({ code: null, how: error.message }));
    child.once('close', (code, signal) => resolve({ code, how: signal ?? `exit ${code}` }));
  });
  void ended.then(() => {
    isUp = false;
    for (const { reject } of waiting.values()) reject(new Error('has ended'));
  });
  return {
    pid: child.pid ?? null,
    ended,
    get isUp() {
      return isUp;
    },
    async ask(ask) {
      if ([...waiting.values()].some(({ isLate }) => isLate)) throw new Error('does not answer');
      const id = asked++;
      const answer = new Promise<unknown>((resolve, reject) => {
        waiting.set(id, { resolve, reject, isLate: false });
      });
      tell({ id, ask });
      return await Promise.race([answer, late(waiting.get(id), clock)]);
    },
    stop: why => void tell({ stop: why }),
    kill: () => void child.kill('SIGKILL'),
  };
}

async function late(one: Waiting | undefined, clock: Clock): Promise<never> {
  await clock.sleep(PATIENCE_MS, new AbortController().signal);
  if (one !== undefined) one.isLate = true;
  throw new Error('does not answer');
}

/** Whole lines, no faster than the reader takes them. */
export function passLines(from: Readable, to: Writable): void {
  let rest: Buffer = Buffer.alloc(0);
  // What nobody reads any more is lost, but has to be taken: a process whose output is not read to its end never counts as ended.
  const isGone = () => to.destroyed || to.errored !== null;
  const pass = (bytes: Buffer) => {
    if (bytes.length === 0 || isGone() || to.write(bytes) || isGone()) return;
    from.pause();
    const goOn = () => {
      for (const event of WAKERS) to.off(event, goOn);
      from.resume();
    };
    for (const event of WAKERS) to.on(event, goOn);
  };
  from.on('data', (chunk: Buffer) => {
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = all.length > LINE_BYTES ? all.length : all.lastIndexOf(0x0a) + 1;
    rest = all.subarray(end);
    pass(all.subarray(0, end));
  });
  from.on('end', () => pass(rest));
}
