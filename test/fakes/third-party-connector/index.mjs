/**
 * A connector as somebody else would publish it: plain JavaScript in a package of its own, which knows of Tidemark nothing but `tidemark/connector`. Its
 * target is a file to which every change is appended; `type: tidemark-connector-example` in a settings file finds it.
 */
import { open } from 'node:fs/promises';
import { SinkFault } from 'tidemark/connector';
import { z } from 'zod';

const schema = z.strictObject({
  path: z.string().min(1).meta({ description: 'File to append to. Its folder must be there.' }),
  largestLine: z.int().min(100).default(1_000_000).meta({ description: 'A change whose line has more bytes is refused.' }),
});

/** @type {import('tidemark/connector').Connector<import('zod').output<typeof schema>>} */
export default {
  schema,
  traits: () => ({
    order: 'key',
    coalesce: 'never',
    oncePerKey: false,
    inFlight: 1,
    batch: { records: 200, bytes: 1_000_000, waitMs: 5 },
    timeoutMs: 5_000,
  }),
  async open({ path, largestLine }, host) {
    const file = await opened(path);
    host.log.info({ path }, 'appending to a file');
    return {
      async write({ records }, signal) {
        signal.throwIfAborted();
        const failed = [];
        const refusedKeys = new Set();
        let text = '';
        for (const [index, record] of records.entries()) {
          const line = `${JSON.stringify({ id: record.eventId, kind: record.kind, keys: record.keys, after: record.after })}\n`;
          const bytes = Buffer.byteLength(line);
          if (refusedKeys.has(record.key)) failed.push({ index, disposition: 'retry', reason: 'waits for an earlier change of its key' });
          else if (bytes > largestLine) {
            refusedKeys.add(record.key);
            failed.push({ index, disposition: 'reject', reason: `a line of ${bytes} bytes, largestLine is ${largestLine}` });
          } else text += line;
        }
        await file.appendFile(text);
        // Durable is what the disk has, not what the system has taken.
        await file.datasync();
        return { failed };
      },
      async close() {
        await file.close();
      },
    };
  },
};

async function opened(path) {
  try {
    return await open(path, 'a');
  } catch (error) {
    const missing = error.code === 'ENOENT' || error.code === 'EACCES';
    throw new SinkFault(missing ? 'halt' : 'retry', `cannot append to ${path}: ${error.message}`, { heals: missing, cause: error });
  }
}
