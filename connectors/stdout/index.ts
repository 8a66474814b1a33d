/**
 * Prints every change as a line for a person. It is also the sample to copy: all that a connector has is here, and nothing else. A connector says what it
 * is given (`schema`), how it wants batches cut (`traits`), and opens a sink; batching, order, retries, timeouts and metrics wrap it.
 */
import type { Writable } from 'node:stream';
import { z } from 'zod';
import { type Connector, type Sink, SinkFault, type Traits } from '../../src/connector.ts';
import { lineOf } from './line.ts';

/** Strict, so that a misspelt option is found; every field described, for the reference is made of it. */
const optionsSchema = z.strictObject({
  images: z.boolean().default(true).meta({ description: 'Show the items too, not only their keys.' }),
});
type StdoutOptions = z.output<typeof optionsSchema>;

const traits: Traits = {
  // What the target must see in order: everything of a shard, for a person reads from top to bottom.
  order: 'partition',
  // A change that a newer one has overtaken is shown all the same.
  coalesce: 'never',
  // The order inside a batch is kept.
  oncePerKey: false,
  inFlight: 1,
  // Nobody wants to wait for a line.
  batch: { records: 100, bytes: 1_000_000, waitMs: 0 },
  timeoutMs: 10_000,
};

const stdout: Connector<StdoutOptions> = {
  schema: optionsSchema,
  traits: () => traits,
  open: async options => openStdout(options, process.stdout),
};

export default stdout;

/** The target is a parameter here, so that a test can bring its own. */
export function openStdout(options: StdoutOptions, output: Writable): Sink {
  // Each write is told of its own failure; without a listener the stream would end the process as well.
  const ignore = () => {};
  output.on('error', ignore);
  return {
    async write({ records }, signal) {
      signal.throwIfAborted();
      await written(output, records.map(record => `${lineOf(record, options)}\n`).join(''));
      // What is not in `failed` is durable: here, handed to the system.
      return { failed: [] };
    },
    async close() {
      output.off('error', ignore);
    },
  };
}

/** Waits for the system to take it. Standard output knows no abort and needs none: the system takes it at once, or the process waits. */
function written(output: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, error => {
      if (error) reject(new SinkFault('halt', `standard output cannot be written: ${error.message}`, { cause: error }));
      else resolve();
    });
  });
}
