/**
 * A Reader over one shard of a DynamoDB stream. It follows iterators, heals what can be healed, and yields pages, gaps and the end; how, is said in
 * shard-pass.ts. A shard may be read twice at a time, each time by a pass of its own.
 */
import type { Reader } from '../ports/reader.ts';
import { Absence } from './absence.ts';
import { ThrottleNotice } from './read-pace.ts';
import { ShardPass } from './shard-pass.ts';
import type { ShardReaderParts } from './shard-reader-parts.ts';

/** What it throws is a ServiceFault that only an operator can mend (no permission, the stream gone), or our own mistake. */
export function shardReader(parts: ShardReaderParts): Reader {
  const shared = { throttles: new ThrottleNotice(), absence: new Absence(), hadNoNext: false };
  return {
    partition: parts.source.partition,
    pages: (from, signal, permit = async () => true) => new ShardPass(parts, shared, { from, signal, permit }).pages(),
  };
}
