/** What a topic's state decides: partitions that grow, and the time that a message carries. */
import { expect } from 'chai';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import { murmur2 } from './murmur2.ts';
import { Topic } from './topic.ts';

const states = (count: number, leader = 1) => Array.from({ length: count }, (_, partitionId) => ({ partitionId, leader }));

function record(changedAt: number, origin = 'stream'): ChangeRecord {
  return { changedAt, source: { origin } } as unknown as ChangeRecord;
}

describe('kafka topic', () => {
  const key = Buffer.from('a-little-bit-long-string');

  it('groups by topic-partition, and by the topic alone while its partitions are not known', () => {
    const topic = new Topic('orders');
    expect(topic.groupOf(key)).to.equal('orders');
    topic.see(states(6), true);
    expect(topic.groupOf(key)).to.equal(`orders-${(murmur2(key) & 0x7fffffff) % 6}`);
    expect(topic.leaderOf(5)).to.equal(1);
    expect(topic.leaderOf(6)).to.equal(-1);
  });

  it('grows with whoever has seen more partitions, and shrinks only by a fresh answer', () => {
    const topic = new Topic('orders');
    topic.see(states(6), true);
    topic.see(states(12), false);
    expect(topic.partitions).to.equal(12);
    topic.see(states(6), false);
    expect(topic.partitions).to.equal(12);
    topic.see(states(3), true);
    expect(topic.partitions).to.equal(3);
  });

  it('takes leaders in any order of partitions', () => {
    const topic = new Topic('orders');
    topic.see(
      [
        { partitionId: 1, leader: 7 },
        { partitionId: 0, leader: 5 },
      ],
      true,
    );
    expect([topic.leaderOf(0), topic.leaderOf(1)]).to.deep.equal([5, 7]);
  });

  it('gives a message the time of the change, and now to everything that is not the live stream', () => {
    const topic = new Topic('orders');
    expect(topic.timeOf(record(1_000), 5_000)).to.equal(1_000);
    for (const origin of ['snapshot', 'replay', 'redrive', 'repair']) expect(topic.timeOf(record(1_000, origin), 5_000)).to.equal(5_000);
  });

  it('remembers what age the broker has refused', () => {
    const topic = new Topic('orders');
    const now = 1_000_000_000;
    topic.refuse(now - 3_600_000, now);
    expect(topic.timeOf(record(now - 3_600_000), now)).to.equal(now);
    expect(topic.timeOf(record(now - 3_599_999), now)).to.equal(now - 3_599_999);
  });

  it('does not take a refused time in the future for an age', () => {
    const topic = new Topic('orders');
    topic.refuse(2_000_000, 1_000_000);
    expect(topic.timeOf(record(999_999), 1_000_000)).to.equal(999_999);
  });
});
