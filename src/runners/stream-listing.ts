/**
 * Full listings of one stream: one call at a time, shared by all who wait for one that begins after they asked. DescribeStream allows ten calls a second
 * for a whole account.
 */
import type { Log } from '../ports/log.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { StreamApi, StreamDescription } from '../ports/stream-api.ts';
import { ShardGraph } from './shard-graph.ts';

export interface StreamListingParts {
  readonly arn: string;
  readonly streams: StreamApi;
  readonly log: Log;
  /** Of the process: a listing serves many, so nobody's own signal ends it. */
  readonly ending: AbortSignal;
}

export class StreamListing {
  readonly graph = new ShardGraph();
  readonly #parts: StreamListingParts;
  #current: Promise<unknown> | undefined;
  #next: Promise<StreamDescription | undefined> | undefined;

  constructor(parts: StreamListingParts) {
    this.#parts = parts;
  }

  /** Undefined when the stream is gone. */
  list(): Promise<StreamDescription | undefined> {
    this.#next ??= this.#after(this.#current);
    return this.#next;
  }

  async #after(current: Promise<unknown> | undefined): Promise<StreamDescription | undefined> {
    await current?.catch(() => {});
    this.#next = undefined;
    const listing = this.#describe();
    this.#current = listing;
    return listing;
  }

  async #describe(): Promise<StreamDescription | undefined> {
    const { arn, streams, log, ending } = this.#parts;
    let description: StreamDescription | undefined;
    try {
      description = await streams.describe(arn, ending);
    } catch (error) {
      if (!(error instanceof ServiceFault) || error.class !== 'missing') throw error;
      if (!this.graph.streamGone) log.warn({ streamArn: arn }, 'the stream is gone');
    }
    this.graph.look(description);
    return description;
  }
}
