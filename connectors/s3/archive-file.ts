/**
 * One file of the archive: DynamoDB's incremental-export lines, compressed. The same records give the same bytes, so that a file written again after
 * a crash is the file that is there.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gzip, zstdCompress } from 'node:zlib';
import { encoder } from '../../src/formats/encoder.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import type { Token } from '../../src/model/position.ts';
import type { S3Options } from './options.ts';
import type { StoredObject } from './store.ts';

type Compression = S3Options['compression'];

export const EXTENSIONS: Readonly<Record<Compression, string>> = { gzip: 'json.gz', zstd: 'json.zst', none: 'json' };
const TYPES: Readonly<Record<Compression, string>> = { gzip: 'application/gzip', zstd: 'application/zstd', none: 'application/x-ndjson' };
const FIRST = 'first-sequence-number';
const LAST = 'last-sequence-number';

const compressors: Readonly<Record<Compression, (text: string) => Promise<Uint8Array>>> = {
  // Level 1: a seventh more bytes for half the time. zlib's header carries no time here, so equal text gives equal bytes.
  gzip: text => promisify(gzip)(text, { level: 1 }),
  zstd: text => promisify(zstdCompress)(Buffer.from(text), { params: { [constants.ZSTD_c_compressionLevel]: 3 } }),
  none: async text => Buffer.from(text),
};

const line = encoder('dynamodb-json');

export async function archiveFile(
  records: readonly ChangeRecord[],
  as: { name: string; compression: Compression; lockUntil?: Date },
): Promise<StoredObject> {
  const first = records[0];
  const last = records.at(-1);
  if (first === undefined || last === undefined) throw new Error('a file without records');
  let text = '';
  for (const record of records) text += `${line(record).value}\n`;
  const body = await compressors[as.compression](text);
  return {
    name: as.name,
    body,
    sha256: createHash('sha256').update(body).digest('base64'),
    contentType: TYPES[as.compression],
    metadata: { [FIRST]: first.token, [LAST]: last.token, records: String(records.length), stream: first.source.streamArn },
    ...(as.lockUntil && { lockUntil: as.lockUntil }),
  };
}

/** Up to where an object that is there covers the stream; undefined when it is not one of ours, or of another stream. */
export function coveredBy(metadata: Readonly<Record<string, string>>, first: ChangeRecord): Token | undefined {
  const last = metadata[LAST];
  if (last === undefined || metadata[FIRST] !== first.token || metadata['stream'] !== first.source.streamArn) return undefined;
  return last;
}
