/** A connector of somebody else, as the text of its package: one line per record into a file. */

/**
 * `line`: the text of a function that makes a record's line. Options: `into`, the file; `slowMs`, how long a write takes; `hangs`, whether none of them
 * ever settles.
 */
export const writtenDown = (line: string): string => `
import { appendFileSync } from 'node:fs';
import { z } from 'zod';
const line = ${line};
export default {
  schema: z.strictObject({ into: z.string(), slowMs: z.number().default(0), hangs: z.boolean().default(false) }),
  traits: () => ({
    order: 'key', coalesce: 'never', oncePerKey: false, inFlight: 1, batch: { records: 100, bytes: 100000, waitMs: 0 }, timeoutMs: 5000,
  }),
  open: async ({ into, slowMs, hangs }) => ({
    async write({ records }) {
      if (hangs) await new Promise(() => {});
      if (slowMs > 0) await new Promise(resolve => setTimeout(resolve, slowMs));
      appendFileSync(into, records.map(record => line(record) + '\\n').join(''));
      return { failed: [] };
    },
    close: async () => {},
  }),
};
`;
