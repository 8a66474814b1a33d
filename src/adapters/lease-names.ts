/**
 * How lease rows are named in the table. Our own are named by stream and shard, as the rest of the process knows them. A table that was taken over from an
 * application of the Kinesis Client Library keeps that library's names, so that the application can take it back: the shard alone, or, in a table of
 * several streams, `<account>:<region>$<account>$<table>$<label>:1:<shard>`. Which stream a row is of is then written into it, with the counter of our last
 * write: where the two counters differ, somebody else has written since.
 */
import type { Item } from '../model/item.ts';
import { type LeaseKey, leaseKey, partsOfLeaseKey } from '../ports/lease-store.ts';
import { text } from './attribute-values.ts';

export interface LeaseNames {
  /** To be shown each page of a scan before the names of its rows are asked for. */
  learn(items: readonly Item[]): void;
  /** Undefined: of no stream that is known. */
  keyOf(item: Item): LeaseKey | undefined;
  inTable(key: LeaseKey): string;
  /** What a row that we make says besides. */
  made(key: LeaseKey): Item;
  /** What each of our writes says besides. */
  marks(key: LeaseKey, counter: number): Item;
}

export const nativeNames: LeaseNames = {
  learn: () => {},
  keyOf: item => text(item['leaseKey']),
  inTable: key => key,
  made: () => ({}),
  marks: () => ({}),
};

/** `several`: of an empty table, whether it is of several streams. */
export function kclNames({ several }: { several: boolean }): LeaseNames {
  return new KclNames(several);
}

/** What stands before the shard in a row's name. */
export function streamOfName(key: string): { readonly names: 'shard' | 'stream' | 'native' | 'other'; readonly streamArn?: string } {
  const colon = key.lastIndexOf(':');
  if (colon < 0) return { names: 'shard' };
  if (key.startsWith('arn:')) return { names: 'native', streamArn: key.slice(0, colon) };
  const [, region, account, table, label] = /^\d+:([^:$]+)\$(\d+)\$([^:$]+)\$([^:$]+):\d+$/.exec(key.slice(0, colon)) ?? [];
  if (region === undefined || label === undefined) return { names: 'other' };
  const streamArn = `arn:${awsPartition(region)}:dynamodb:${region}:${account}:table/${table}/stream/${label.replaceAll('_', ':')}`;
  return { names: 'stream', streamArn };
}

class KclNames implements LeaseNames {
  /** By stream. */
  readonly #prefixes = new Map<string, string>();
  /** Streams of rows that name the shard alone. */
  readonly #bare = new Set<string>();
  #several: boolean;

  constructor(several: boolean) {
    this.#several = several;
  }

  learn(items: readonly Item[]): void {
    for (const item of items) {
      const key = text(item['leaseKey']) ?? '';
      const { names, streamArn } = streamOfName(key);
      const arn = text(item['streamArn']) ?? streamArn;
      if (names === 'stream') this.#several = true;
      if (names === 'shard' && arn !== undefined) this.#several = false;
      if (arn === undefined || (names !== 'shard' && names !== 'stream')) continue;
      this.#prefixes.set(arn, key.slice(0, key.lastIndexOf(':') + 1));
      if (names === 'shard') this.#bare.add(arn);
    }
  }

  keyOf(item: Item): LeaseKey | undefined {
    const key = text(item['leaseKey']);
    if (key === undefined) return undefined;
    const { names, streamArn } = streamOfName(key);
    // A row that somebody made after the takeover does not say its stream; where all others are of one, so is it.
    const [home, second] = names === 'shard' ? this.#bare : [];
    const arn = text(item['streamArn']) ?? streamArn ?? (second === undefined ? home : undefined);
    return arn === undefined || names === 'native' ? undefined : leaseKey(arn, key.slice(key.lastIndexOf(':') + 1));
  }

  inTable(key: LeaseKey): string {
    const { streamArn, shardId } = partsOfLeaseKey(key);
    return `${this.#prefix(streamArn)}${shardId}`;
  }

  made(key: LeaseKey): Item {
    const { streamArn, shardId } = partsOfLeaseKey(key);
    const prefix = this.#prefix(streamArn);
    return {
      // The library's adapter gives every shard this range, and looks for holes between ranges.
      startingHashKey: { S: '0' },
      endingHashKey: { S: '1' },
      ...(prefix !== '' && { streamName: { S: prefix.slice(0, -1) }, shardId: { S: shardId } }),
      ...this.marks(key, 0),
    };
  }

  marks(key: LeaseKey, counter: number): Item {
    return { streamArn: { S: partsOfLeaseKey(key).streamArn }, tidemarkCounter: { N: String(counter) } };
  }

  #prefix(streamArn: string): string {
    return this.#prefixes.get(streamArn) ?? (this.#several ? prefixOf(streamArn) : '');
  }
}

function prefixOf(streamArn: string): string {
  const [, , , region, account, ...resource] = streamArn.split(':');
  const [, table, , ...label] = resource.join(':').split('/');
  return `${account}:${region}$${account}$${table}$${label.join('/').replaceAll(':', '_')}:1:`;
}

function awsPartition(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
