import { expect } from 'chai';
import fc from 'fast-check';
import type { ShardListing, StreamDescription } from '../../../src/ports/stream-api.ts';
import { closedShards, shardStanding } from '../../../src/shards/lineage.ts';

const listing = (shards: readonly ShardListing[], status: StreamDescription['status'] = 'ENABLED') => ({ status, shards, servedAt: 7 });
const OPEN: ShardListing = { shardId: 'a', startingToken: '1' };
const CLOSED: ShardListing = { ...OPEN, endingToken: '9' };
const CHILD: ShardListing = { shardId: 'b', parentShardId: 'a' };

describe('a listing', () => {
  const standings: Record<string, [ReturnType<typeof listing> | undefined, string]> = {
    'a shard without an ending number': [listing([OPEN]), 'open'],
    'a shard with one': [listing([CLOSED]), 'closed'],
    'open-parent-with-child: it has stopped giving records, and its child proves that it will not go on': [
      listing([CHILD, OPEN]),
      'closed',
    ],
    'stream-disabled: its last shards have no children': [listing([OPEN], 'DISABLED'), 'closed'],
    'a stream that is just being disabled': [listing([OPEN], 'DISABLING'), 'open'],
    'a shard that is not listed': [listing([CHILD]), 'gone'],
    'enabling-empty-list: it lists nothing yet': [listing([], 'ENABLING'), 'open'],
    'no listing, for the stream is gone': [undefined, 'stream-gone'],
  };
  for (const [name, [description, is]] of Object.entries(standings)) {
    it(`says of ${name}: ${is}`, () => {
      expect(shardStanding(description, 'a', 5)).to.deep.equal({ is, servedAt: description === undefined ? 5 : 7 });
    });
  }

  it('shows surely closed what has a child as well, or a disabled stream', () => {
    expect([...closedShards(listing([CLOSED, CHILD]))]).to.deep.equal(['a']);
    // A local server shows an ending number on an open shard.
    expect([...closedShards(listing([CLOSED]))]).to.deep.equal([]);
    expect([...closedShards(listing([OPEN, CHILD]))]).to.deep.equal([]);
    expect([...closedShards(listing([OPEN, CHILD], 'DISABLED'))]).to.deep.equal(['a', 'b']);
  });

  it('says the same in whatever order, of circles too', () => {
    const shard = fc.record(
      { shardId: fc.constantFrom('a', 'b', 'c', 'd'), parentShardId: fc.constantFrom('a', 'b', 'c', 'x'), endingToken: fc.constant('9') },
      { requiredKeys: ['shardId'] },
    );
    const shards = fc.uniqueArray(shard, { selector: ({ shardId }) => shardId });
    const twice = shards.chain(all => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
    fc.assert(
      fc.property(twice, ([one, other]) => {
        expect(closedShards(listing(one))).to.deep.equal(closedShards(listing(other)));
        for (const id of ['a', 'b', 'c', 'd'])
          expect(shardStanding(listing(one), id, 0)).to.deep.equal(shardStanding(listing(other), id, 0));
      }),
    );
  });
});
