/** How batches become requests, and that our arithmetic of a message's size is the client's. */
import { createRequire } from 'node:module';
import { expect } from 'chai';
import fc from 'fast-check';
import { BYTES_PER_REQUEST, MESSAGES_PER_REQUEST, messageBytes, type Outgoing, produceRequests } from './requests.ts';

interface Encoder {
  size(): number;
}
const require = createRequire(import.meta.url);
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => Encoder;
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as { RecordBatch(batch: object): Promise<Encoder> };

function outgoing(index: number, more: Partial<Outgoing> = {}): Outgoing {
  return { index, partition: 0, key: Buffer.from(`k${index}`), value: Buffer.alloc(100), headers: {}, time: 1_700_000_000_000, ...more };
}

async function encodedBytes(messages: readonly Outgoing[]): Promise<number> {
  const first = messages[0]?.time ?? 0;
  const records = messages.map(({ time, ...message }, offsetDelta) =>
    encodeRecord({ ...message, offsetDelta, timestampDelta: time - first }),
  );
  return (await RecordBatch({ records, firstTimestamp: first, maxTimestamp: first, lastOffsetDelta: records.length - 1 })).size();
}

const arbitrary = fc
  .record({
    key: fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes)),
    value: fc.option(fc.nat(70_000).map(size => Buffer.alloc(size))),
    headers: fc.dictionary(fc.string({ minLength: 1, maxLength: 80, unit: 'grapheme' }), fc.string({ maxLength: 100 }), {
      maxKeys: 5,
      noNullPrototype: true,
    }),
    partition: fc.nat(3),
    time: fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 }),
  })
  .map(more => outgoing(0, more));

describe('kafka requests', () => {
  it('knows the exact size of a message alone', async () => {
    await fc.assert(
      fc.asyncProperty(arbitrary, async message => {
        expect(messageBytes(message)).to.equal(await encodedBytes([message]));
      }),
    );
  });

  it('K1, K3, K9: each carries one topic-partition, few enough messages and few enough bytes, nothing lost, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(arbitrary, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 2_000, max: 200_000 }),
        async (some, maxBytes) => {
          const messages = some.map((message, index) => ({ ...message, index }));
          const requests = produceRequests(messages, maxBytes);
          for (const request of requests) {
            expect(request.messages.every(({ partition }) => partition === request.partition)).to.equal(true);
            if (request.messages.length > 1) expect(await encodedBytes(request.messages)).to.be.at.most(maxBytes);
          }
          for (const partition of [0, 1, 2, 3]) {
            const sent = requests
              .filter(request => request.partition === partition)
              .flatMap(request => request.messages.map(({ index }) => index));
            expect(sent).to.deep.equal(messages.filter(message => message.partition === partition).map(({ index }) => index));
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('K3: never more than 500 messages, whose grouping is quadratic in the client', () => {
    const messages = Array.from({ length: 1201 }, (_, index) => outgoing(index));
    expect(produceRequests(messages, 1_048_588).map(request => request.messages.length)).to.deep.equal([500, 500, 201]);
    expect(MESSAGES_PER_REQUEST).to.equal(500);
  });

  it('sends a message that is larger than a request by itself', () => {
    const messages = [outgoing(0), outgoing(1, { value: Buffer.alloc(BYTES_PER_REQUEST + 1) }), outgoing(2)];
    expect(produceRequests(messages, 10_000_000).map(request => request.messages.map(({ index }) => index))).to.deep.equal([[0], [1], [2]]);
  });
});
