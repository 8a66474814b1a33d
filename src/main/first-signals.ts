/**
 * SIGTERM and SIGINT from the first moment on, until `run` obeys them in its own way: the process leaves at once. (Without a handler the first process of
 * a container does not end at all, and loading what `run` needs takes a while.) To be imported before anything else.
 */

/** As in `exit.ts`, which would have to be loaded first. */
const CODES = { SIGTERM: 143, SIGINT: 130 } as const;

const leave = (name: keyof typeof CODES): never => process.exit(CODES[name]);

for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, leave);

/** Somebody else obeys them from now on. */
export function handSignalsOver(): void {
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.off(name, leave);
}
