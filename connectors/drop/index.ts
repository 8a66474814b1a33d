/** Takes every change and does nothing with it: for measuring what reading, ordering and saving cost by themselves, and for rehearsing settings. */
import { z } from 'zod';
import type { Connector } from '../../src/connector.ts';

const drop: Connector<object> = {
  schema: z.strictObject({}),
  traits: () => ({
    order: 'none',
    coalesce: 'never',
    oncePerKey: false,
    inFlight: 1,
    batch: { records: 1_000, bytes: 4_000_000, waitMs: 0 },
    timeoutMs: 10_000,
  }),
  open: async () => ({
    async write(_, signal) {
      signal.throwIfAborted();
      return { failed: [] };
    },
    async close() {},
  }),
};

export default drop;
