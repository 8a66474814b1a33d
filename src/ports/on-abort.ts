/**
 * Calls back when the signal aborts, and at once where it already has: a listener that is added to an aborted signal is never called, so whatever waits
 * for it alone waits for ever. Returns how to stop listening.
 */
export function onAbort(signal: AbortSignal, aborted: () => void): () => void {
  if (signal.aborted) {
    aborted();
    return () => {};
  }
  signal.addEventListener('abort', aborted, { once: true });
  return () => signal.removeEventListener('abort', aborted);
}
