/**
 * Changes of a table as its stream would tell them, for all suites: single records, and a script that keeps the items so that every record has the images
 * and the kind that DynamoDB would give it. With them come the values and names that people's tables hold and that programs trip over.
 */
import { createHash } from 'node:crypto';
import type { Batch } from '../../src/connector.ts';
import type { ChangeRecord, Source, UserIdentity, ViewType } from '../../src/model/change-record.ts';
import type { Item } from '../../src/model/item.ts';
import { keyOf } from '../../src/model/key.ts';
import type { EpochMs } from '../../src/model/units.ts';

const EVENT_NAMES = { insert: 'INSERT', modify: 'MODIFY', remove: 'REMOVE' } as const;

/** What a record costs on the wire besides its keys and images. */
const ENVELOPE_BYTES = 400;

/** Of a table with the key `pk` (text) and `sk` (number). */
export function recordSource(more: Partial<Source> = {}): Source {
  const table = more.table ?? 'orders';
  return {
    origin: 'stream',
    table,
    region: 'us-east-1',
    streamArn: `arn:aws:dynamodb:us-east-1:123456789012:table/${table}/stream/2026-01-01T00:00:00.000`,
    streamCreatedAt: Date.UTC(2026, 0, 1),
    viewType: 'NEW_AND_OLD_IMAGES',
    keyNames: ['pk', 'sk'],
    partition: 'shardId-00000001767225600000-0a1b2c3d',
    ...more,
  };
}

/** One record; `n` is its place in the stream. What is not given follows from what is; without images it gets those of its kind. */
export function changeRecord({ n = 1, ...given }: Partial<ChangeRecord> & { readonly n?: number } = {}): ChangeRecord {
  const { keys = suiteKey('a'), kind = 'insert' } = given;
  if ('before' in given || 'after' in given) return recordOf(n, { ...given, keys, kind });
  const image = { ...keys, n: { N: String(n) } };
  const images = { ...(kind !== 'insert' && { before: { ...image, n: { N: '0' } } }), ...(kind !== 'remove' && { after: image }) };
  return recordOf(n, { ...images, ...given, keys, kind });
}

function recordOf(n: number, given: Partial<ChangeRecord> & Pick<ChangeRecord, 'keys' | 'kind'>): ChangeRecord {
  const { source = recordSource(), token = `1${String(n).padStart(20, '0')}` } = given;
  const sizeBytes = [given.keys, given.before, given.after].reduce((sum, item) => sum + jsonBytes(item), 0);
  return {
    source,
    key: keyOf(given.keys, source.keyNames),
    token,
    changedAt: source.streamCreatedAt + Math.floor(n / 10) * 1000,
    eventId: createHash('md5').update(`${source.streamArn} ${source.partition} ${token}`).digest('hex'),
    eventName: EVENT_NAMES[given.kind],
    eventVersion: '1.1',
    sizeBytes,
    bytes: ENVELOPE_BYTES + sizeBytes,
    ...given,
  };
}

const jsonBytes = (item: Item | undefined): number => (item === undefined ? 0 : Buffer.byteLength(JSON.stringify(item)));

/** A key of the table of `recordSource`. */
export const suiteKey = (text: string, n = 1): Item => ({ pk: { S: text }, sk: { N: String(n) } });

export interface ScriptOptions {
  readonly source?: Source;
  /** Time of the first change; the stream cuts it to the second. */
  readonly startAt?: EpochMs;
  /** Attributes that every item has besides its own; `n` rises with each change. */
  readonly attributes?: ((n: number) => Item) | undefined;
}

/** A table and its stream: each call is one change, and gives its record. Sequence numbers rise. */
export class TableScript {
  readonly source: Source;
  /** All that was told, in order. */
  readonly records: ChangeRecord[] = [];
  readonly #items = new Map<string, Item>();
  readonly #options: ScriptOptions;

  constructor(options: ScriptOptions = {}) {
    this.source = options.source ?? recordSource();
    this.#options = options;
  }

  /** Puts an item: an insert, or a modification of what is there. */
  put(keys: Item, rest: Item = {}, source: Source = this.source): ChangeRecord {
    const key = keyOf(keys, source.keyNames);
    const before = this.#items.get(key);
    const after = { ...this.#options.attributes?.(this.records.length + 1), ...rest, ...keys };
    this.#items.set(key, after);
    return this.#tell(source, { kind: before === undefined ? 'insert' : 'modify', keys, ...(before && { before }), after });
  }

  /** Removes an item that is there; `userIdentity` says by whom, when time to live did it. */
  remove(keys: Item, userIdentity?: UserIdentity, source: Source = this.source): ChangeRecord {
    const key = keyOf(keys, source.keyNames);
    const before = this.#items.get(key);
    if (before === undefined) throw new Error(`no item ${key} to remove`);
    this.#items.delete(key);
    return this.#tell(source, { kind: 'remove', keys, before, ...(userIdentity && { userIdentity }) });
  }

  /** The items as they are now, by key. */
  get items(): ReadonlyMap<string, Item> {
    return this.#items;
  }

  #tell(source: Source, change: Pick<ChangeRecord, 'keys' | 'kind'> & Partial<ChangeRecord>): ChangeRecord {
    const { before, after, ...rest } = change;
    const n = this.records.length + 1;
    const { startAt = source.streamCreatedAt } = this.#options;
    const carries = viewOf(source.viewType);
    const record = recordOf(n, {
      source,
      changedAt: Math.floor((startAt + n) / 1000) * 1000,
      ...rest,
      ...(before && carries.before && { before }),
      ...(after && carries.after && { after }),
    });
    this.records.push(record);
    return record;
  }
}

function viewOf(viewType: ViewType): { readonly before: boolean; readonly after: boolean } {
  return {
    before: viewType === 'OLD_IMAGE' || viewType === 'NEW_AND_OLD_IMAGES',
    after: viewType === 'NEW_IMAGE' || viewType === 'NEW_AND_OLD_IMAGES',
  };
}

/** `count` changes over `keys` keys, interleaved: puts, and now and then a removal. */
export function manyChanges(script: TableScript, count: number, keys: number): ChangeRecord[] {
  return Array.from({ length: count }, (_, i) => {
    const key = suiteKey(`k${(i * 7919) % keys}`, (i * 7919) % keys);
    const there = script.items.has(keyOf(key, script.source.keyNames));
    return there && i % 5 === 4 ? script.remove(key) : script.put(key, { n: { N: String(i) }, text: { S: `change ${i}` } });
  });
}

export function batchOf(records: readonly ChangeRecord[], replayedBefore: EpochMs = 0): Batch {
  return { records, bytes: records.reduce((sum, { bytes }) => sum + bytes, 0), replayedBefore };
}

/** Attributes with every type, at the edges of what each can hold, under every sort of name. Written so that no name reaches a prototype. */
export const ODD_ATTRIBUTES: Item = {
  ...(JSON.parse('{"__proto__":{"S":"own"},"constructor":{"M":{"__proto__":{"N":"1"}}},"hasOwnProperty":{"BOOL":false}}') as Item),
  digits38: { N: '1.2345678901234567890123456789012345678' },
  huge: { N: '99999999999999999999999999999999999999000000000000000000000000000000000000' },
  tiny: {
    N: '-0.0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001',
  },
  big: { N: '9007199254740993' },
  emptyText: { S: '' },
  emptyBytes: { B: '' },
  emptyMap: { M: {} },
  emptyList: { L: [] },
  bytes: { B: Buffer.from([0, 1, 127, 128, 254, 255, 10, 13]).toString('base64') },
  texts: { SS: ['', 'a', '"quoted"\n\u2028'] },
  numbers: { NS: ['1', '-2.5', '12345678901234567890123456789012345678'] },
  blobs: { BS: ['AA==', '/w=='] },
  nothing: { NULL: true },
  yes: { BOOL: true },
  unicode: { S: 'ü 漢字 👩‍👩‍👧 \u0000 \ufeff \\ \' "' },
  nested: { L: [{ M: { L: { L: [{ S: '' }, { NULL: true }] }, S: { N: '0' } } }, { BS: ['AQ=='] }] },
  'with.dots': { S: '.' },
  'with "quotes"': { S: '"' },
  size: { S: 'a reserved word' },
  ' ': { S: 'a space' },
  漢: { S: 'a name' },
  '#:{}$': { S: 'signs' },
};
