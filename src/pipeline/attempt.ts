/**
 * One write of a batch: its timeout, its abort, its verdict. It answers only when nothing of the write can reach the target any more, so a second
 * attempt never runs beside the first. One timer and one abort listener per batch, none per record.
 */
import { type Batch, type Sink, SinkFault, type Written } from '../connector.ts';
import { ABORT_MS } from '../model/delivery.ts';
import type { Ms } from '../model/units.ts';
import type { Cancel, Clock } from '../ports/clock.ts';
import type { BatchWritten } from '../ports/observer.ts';
import type { OpenSink } from './open-sink.ts';
import type { TracedBatch } from './traced-batch.ts';

export type Attempted =
  | { readonly is: 'answered'; readonly answer: Written; readonly tookMs: Ms }
  | { readonly is: 'failed'; readonly fault: SinkFault; readonly error: string; readonly timedOut: boolean; readonly tookMs: Ms };

/** `signal` aborts when the run has no time or right left to write. Never throws. */
export async function attempt(sink: OpenSink, batch: Batch, at: { timeoutMs: Ms; clock: Clock }, signal: AbortSignal): Promise<Attempted> {
  const { clock } = at;
  const { target } = sink;
  const startedAt = clock.elapsed();
  const abort = new AbortController();
  let timedOut = false;
  let cancel: Cancel = () => {};
  let gaveUp: () => void = () => {};
  const unsettled = new Promise<'unsettled'>(resolve => {
    gaveUp = () => resolve('unsettled');
  });
  const giveUp = () => {
    cancel();
    abort.abort();
    cancel = clock.after(ABORT_MS, gaveUp);
  };
  signal.addEventListener('abort', giveUp);
  cancel = clock.after(at.timeoutMs, () => {
    timedOut = true;
    giveUp();
  });
  if (signal.aborted) giveUp();
  const write = settle(target, batch, abort.signal);
  const first = await Promise.race([write, unsettled]);
  cancel();
  signal.removeEventListener('abort', giveUp);
  if (first === 'unsettled') await sink.waitForUnsettled(write, target);
  const tookMs = clock.elapsed() - startedAt;
  if (first !== 'unsettled' && 'failed' in first) return { is: 'answered', answer: first, tookMs };
  const thrown = first === 'unsettled' ? new SinkFault('retry', 'the write did not settle') : first.thrown;
  const fault = timedOut ? new SinkFault('retry', `no answer within ${at.timeoutMs / 1000} s`, { cause: thrown }) : asFault(thrown);
  return { is: 'failed', fault, error: thrown instanceof Error ? thrown.name : 'Error', timedOut, tookMs };
}

async function settle(target: Sink, batch: Batch, signal: AbortSignal): Promise<Written | { thrown: unknown }> {
  try {
    return await target.write(batch, signal);
  } catch (thrown) {
    return { thrown };
  }
}

function asFault(thrown: unknown): SinkFault {
  if (thrown instanceof SinkFault) return thrown;
  return new SinkFault('retry', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}

/** What the observer is told of a write. */
export function announcement(attempted: Attempted, { batch, trace }: TracedBatch): BatchWritten {
  const about = { records: batch.records.length, bytes: batch.bytes, durationMs: attempted.tookMs, trace };
  if (attempted.is === 'answered') return { ...about, failed: attempted.answer.failed.length };
  return { ...about, failed: batch.records.length, error: attempted.error };
}
