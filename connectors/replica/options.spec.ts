import { expect } from 'chai';
import { mirrorRules } from '../../src/replication/mirror-rules.ts';
import { changeRecord, suiteKey } from '../../test/fakes/records.ts';
import { judged, needs } from './judge.ts';
import { schema, traits } from './options.ts';

const parse = (more: object = {}) => schema.parse({ table: 'copy', ...more });
const complaint = (more: object) =>
  schema.safeParse({ table: 'copy', ...more }).error?.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`);

describe('replica options', () => {
  it('have the defaults that the contract names', () => {
    expect(parse()).to.deep.include({
      mode: 'mirror',
      writes: 'conditional',
      deletes: 'apply',
      ttlDeletes: 'apply',
      stampAttribute: '_tm',
      tombstoneDays: 7,
      fetchItems: false,
      versionKind: 'epochMillis',
      versionMissing: 'reject',
      versionAttribute: 'updatedAt',
      maxAheadSeconds: 900,
      client: 'fast',
      createTable: false,
    });
  });

  it('refuse what is not built yet, and what cannot go together', () => {
    expect(complaint({ mode: 'active-active' })).to.deep.equal(['mode: active-active is not built yet; mirror and version are']);
    expect(complaint({ fetchItems: true })?.[0]).to.match(/^fetchItems: .*not built yet/);
    expect(complaint({ mode: 'version', writes: 'batch' })?.[0]).to.match(/^writes: .*conditional/);
    expect(complaint({ mode: 'version', stampAttribute: 'v', versionAttribute: 'v' })?.[0]).to.match(/^stampAttribute: /);
    expect(complaint({ tombstoneTable: 'copy' })).to.deep.equal(['tombstoneTable: is the replica itself: name another table']);
    expect(complaint({ stampAttribut: 'x' })).to.have.length(1);
    expect(complaint({ mode: 'version', writes: 'batch', tombstoneDays: 0, stampAttribut: 'x' })).to.have.length(3);
  });

  it('ask for coalescing only where the last change of a key is all there is to know', () => {
    expect(traits(parse())).to.include({ order: 'key', coalesce: 'latest-per-key', oncePerKey: true });
    for (const more of [{ deletes: 'ignore' }, { ttlDeletes: 'ignore' }])
      expect(traits(parse(more))).to.include({ coalesce: 'never', oncePerKey: true });
    expect(traits(parse({ mode: 'version' }))).to.include({ coalesce: 'never', oncePerKey: false });
  });

  it('need new images; mode version with removals needs old ones too', () => {
    expect(needs(parse())).to.deep.equal(['NEW_IMAGE', 'NEW_AND_OLD_IMAGES']);
    expect(needs(parse({ mode: 'version' }))).to.deep.equal(['NEW_AND_OLD_IMAGES']);
    expect(needs(parse({ mode: 'version', deletes: 'ignore' }))).to.deep.equal(['NEW_IMAGE', 'NEW_AND_OLD_IMAGES']);
  });

  it('leave removals out: all, those by time to live, those that a global table replicated', () => {
    const rules = mirrorRules({ writer: 'w', stampAttribute: '_tm' });
    const at = Math.floor(changeRecord().changedAt / 1000);
    const plain = changeRecord({ kind: 'remove' });
    const byTtl = { ...plain, userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } };
    const expired = (seconds: number) => ({ ...plain, before: { ...suiteKey('a'), ttl: { N: String(seconds) } } });
    const is = (record: typeof plain, more: object) => judged(record, rules, 0, parse(more)).is;
    expect([plain, byTtl].map(record => is(record, {}))).to.deep.equal(['remove', 'remove']);
    expect([plain, byTtl].map(record => is(record, { deletes: 'ignore' }))).to.deep.equal(['left-out', 'left-out']);
    expect([plain, byTtl].map(record => is(record, { ttlDeletes: 'ignore' }))).to.deep.equal(['remove', 'left-out']);
    const withAttribute = { ttlDeletes: 'ignore', ttlAttribute: 'ttl' };
    expect([expired(at), expired(at + 1), plain].map(record => is(record, withAttribute))).to.deep.equal(['left-out', 'remove', 'remove']);
    expect(is(expired(at), { ttlAttribute: 'ttl' })).to.equal('remove');
  });
});
