/**
 * Two faults of kafkajs 2.2.4 that cannot be guarded from outside, mended in place; both stand in its newest release, and no newer one is to be
 * expected. They are mended for every user of kafkajs in this process, and change nothing that anybody could want.
 *
 * 1. A request queue that has once been used sets a timer that is always overdue: a thousand wake-ups a second per idle connection, and a
 *    TimeoutNegativeWarning from Node (K10; upstream #1751).
 * 2. One partition without a leader makes the metadata of all topics unreadable, so nothing can be written to the others. Here such a partition is
 *    read as what it is: leader -1, which only its own messages run into.
 */
import { createRequire } from 'node:module';

interface RequestQueue {
  pending: { length: number };
  scheduleCheckPendingRequests(): void;
}

interface MetadataAnswer {
  topicMetadata: readonly { topicErrorCode: number; partitionMetadata: readonly object[] }[];
}

interface MetadataProtocol {
  request: unknown;
  response: { decode: unknown; parse(answer: MetadataAnswer): Promise<unknown> };
}

interface Metadata {
  protocol(at: { version: number }): (args: unknown) => MetadataProtocol;
}

/** Called once, when the client is first loaded. */
export function mendKafkajs(): void {
  const require = createRequire(import.meta.url);
  const { prototype: queue } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
  const metadata = require('kafkajs/src/protocol/requests/metadata') as Metadata;
  const stands = typeof queue?.scheduleCheckPendingRequests === 'function' && typeof metadata?.protocol === 'function';
  if (!stands) throw new Error('kafkajs is not the version that this connector was written for (2.2.4)');
  queue.scheduleCheckPendingRequests = onlyIfPending(queue.scheduleCheckPendingRequests);
  metadata.protocol = withoutPartitionErrors(metadata.protocol);
}

function onlyIfPending(schedule: RequestQueue['scheduleCheckPendingRequests']): RequestQueue['scheduleCheckPendingRequests'] {
  return function (this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}

function withoutPartitionErrors(protocol: Metadata['protocol']): Metadata['protocol'] {
  return at => {
    const make = protocol(at);
    return args => {
      const { request, response } = make(args);
      // The parser knows an error by its code alone, so it is shown the topics without their partitions.
      const parse = async (answer: MetadataAnswer) => {
        await response.parse({ ...answer, topicMetadata: answer.topicMetadata.map(topic => ({ ...topic, partitionMetadata: [] })) });
        return answer;
      };
      return { request, response: { ...response, parse } };
    };
  };
}
