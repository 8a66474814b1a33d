/** Waits for work that cannot be called off, only be cut off: when a signal aborts, `end` makes its effects impossible and the wait is over at once. */
export function abortable<T>(work: () => Promise<T>, end: () => void, signals: readonly AbortSignal[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const release = () => {
      for (const signal of signals) signal.removeEventListener('abort', abort);
    };
    const abort = () => {
      release();
      end();
      reject(new Error('aborted'));
    };
    if (signals.some(signal => signal.aborted)) return abort();
    for (const signal of signals) signal.addEventListener('abort', abort);
    work().then(resolve, reject).finally(release);
  });
}
