/** The hash and the partition are the Java client's: its own published vectors, and the slower twin in kafkajs on any bytes. */
import { expect } from 'chai';
import fc from 'fast-check';
import kafkajs from 'kafkajs';
import { murmur2, partitionOf } from './murmur2.ts';

/** From Kafka's UtilsTest.testMurmur2. */
const VECTORS: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

describe('kafka murmur2', () => {
  for (const [text, hash] of VECTORS) {
    it(`gives ${hash} for ${JSON.stringify(text)}`, () => {
      expect(murmur2(Buffer.from(text))).to.equal(hash);
    });
  }

  it('K4: chooses the partition that kafkajs’ copy of the Java partitioner chooses', () => {
    const theirs = kafkajs.Partitioners.DefaultPartitioner();
    const state = (partitionId: number) => ({ partitionErrorCode: 0, partitionId, leader: 1, replicas: [1], isr: [1] });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 500 }), (bytes, count) => {
        const key = Buffer.from(bytes);
        const partitionMetadata = Array.from({ length: count }, (_, id) => state(id));
        expect(partitionOf(key, count)).to.equal(theirs({ topic: 't', partitionMetadata, message: { key, value: null } }));
      }),
    );
  });
});
