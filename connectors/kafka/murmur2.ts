/**
 * The Java client's choice of a partition: 32-bit MurmurHash2 of the message key's bytes, its sign bit cleared, modulo the number of partitions. So a
 * consumer that looks for a key where Java's default partitioner would have put it finds it. kafkajs has the same function on top of BigInt, at fifty
 * times the cost; a test holds the two equal.
 */
const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** The hash as a signed 32-bit number, as Java gives it. */
export function murmur2(key: Uint8Array): number {
  const length = key.length;
  const whole = length & ~3;
  const at = (index: number): number => key[index] ?? 0;
  let h = SEED ^ length;
  for (let i = 0; i < whole; i += 4) {
    let k = at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    h = Math.imul(h, M) ^ Math.imul(k, M);
  }
  if (length > whole) {
    h ^= at(whole) | (at(whole + 1) << 8) | (at(whole + 2) << 16);
    h = Math.imul(h, M);
  }
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return h ^ (h >>> 15);
}

/** Where the Java client's default partitioner puts a message with this key. */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}
