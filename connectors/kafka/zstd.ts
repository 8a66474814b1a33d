/** The Zstandard codec that kafkajs leaves to its user (K8), by Node's own zlib. */
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export const zstdCodec = {
  compress: (encoder: { readonly buffer: Buffer }): Promise<Buffer> => compress(encoder.buffer),
  decompress: (buffer: Buffer): Promise<Buffer> => decompress(buffer),
};
