/** Being asked to end: by Ctrl-C, by SIGTERM, or because the terminal went away. */

/** Resolves with the first signal; from now on such signals do not end the process by themselves. It keeps the process alive. */
export function asked(): Promise<NodeJS.Signals> {
  const alive = setInterval(() => undefined, 60_000);
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        clearInterval(alive);
        resolve(signal);
      });
    }
  });
}
