/**
 * One HTTP exchange over a pool: a request out, the whole answer back, once. When the signal aborts, the request's connection is destroyed before
 * the promise settles, and a request that still waits for a connection is never sent. The listener on the signal goes with the exchange: signals
 * live as long as the process, and thousands of exchanges share one.
 */
import type { Dispatcher } from 'undici';
import type { HttpAnswer } from './aws-answers.ts';
import { abortFault } from './aws-faults.ts';
import type { SignedHeaders } from './fast-signature.ts';

export interface HttpRequest {
  readonly path: string;
  readonly headers: SignedHeaders;
  readonly body: Buffer;
}

/** Rejects with an `aborted` ServiceFault, or with whatever broke the exchange. */
export function exchange(pool: Dispatcher, { path, headers, body }: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(abortFault(signal));
      return;
    }
    let controller: Dispatcher.DispatchController | undefined;
    let status = 0;
    let answerHeaders: HttpAnswer['headers'] = {};
    const chunks: Buffer[] = [];
    const abort = () => {
      const fault = abortFault(signal);
      if (controller === undefined) reject(fault);
      else controller.abort(fault);
    };
    signal.addEventListener('abort', abort, { once: true });
    pool.dispatch(
      { method: 'POST', path, headers: headers as string[], body },
      {
        onRequestStart(started) {
          controller = started;
          if (signal.aborted) started.abort(abortFault(signal));
        },
        onResponseStart(_controller, statusCode, given) {
          status = statusCode;
          answerHeaders = given;
        },
        onResponseData(_controller, chunk) {
          chunks.push(chunk);
        },
        onResponseEnd() {
          signal.removeEventListener('abort', abort);
          const [only] = chunks;
          resolve({ status, headers: answerHeaders, body: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks) });
        },
        onResponseError(_controller, error) {
          signal.removeEventListener('abort', abort);
          reject(error);
        },
      },
    );
  });
}
