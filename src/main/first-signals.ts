/**
 * SIGTERM and SIGINT from the first moment on, until `run` obeys them in its own way: the process leaves at once. (Without a handler the first process of
 * a container does not end at all, and loading what `run` needs takes a while.) To be imported before anything else.
 */

import { isatty } from 'node:tty';

/** As in `exit.ts`, which would have to be loaded first. */
const CODES = { SIGTERM: 143, SIGINT: 130 } as const;
const HANG_UP = 129;

const leave = (name: keyof typeof CODES): never => process.exit(CODES[name]);

for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, leave);

// Asked now, for a terminal that has gone is none any more. To who has no terminal a hang-up means nothing, from the first moment on. This listener stays: without any the system would end the process.
export const hasTerminal = [0, 1, 2].some(isatty);
let isHandedOver = false;
process.on('SIGHUP', () => {
  if (hasTerminal && !isHandedOver) process.exit(HANG_UP);
});

/** Somebody else obeys them from now on. */
export function handSignalsOver(): void {
  isHandedOver = true;
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.off(name, leave);
}
