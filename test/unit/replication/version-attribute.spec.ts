import { expect } from 'chai';
import {
  removalValue,
  tooFarAhead,
  type VersionAttribute,
  type VersionKind,
  versionOf,
} from '../../../src/replication/version-attribute.ts';

const NOW = Date.UTC(2026, 10, 23, 1, 2, 3, 45);
const attribute = (kind: VersionKind, more: Partial<VersionAttribute> = {}): VersionAttribute => ({
  name: 'updatedAt',
  kind,
  missing: 'reject',
  maxAheadSeconds: 900,
  ...more,
});

describe('version attribute', () => {
  it('is a number, or for text a string; another type is refused by name', () => {
    expect(versionOf({ updatedAt: { N: '5' } }, attribute('counter'))).to.deep.equal({ value: { N: '5' } });
    expect(versionOf({ updatedAt: { S: 'a' } }, attribute('text'))).to.deep.equal({ value: { S: 'a' } });
    expect(versionOf({ updatedAt: { S: '5' } }, attribute('epochMillis'))).to.deep.equal({
      refused: 'the version attribute "updatedAt" is of type S; versionKind: epochMillis needs a number',
    });
    expect(versionOf({ updatedAt: { BOOL: true } }, attribute('text'))).to.have.property('refused');
  });

  it('that is missing is refused, or the lowest; an inherited name is not there', () => {
    expect(versionOf({}, attribute('counter'))).to.have.property('refused');
    expect(versionOf({}, attribute('counter', { missing: 'lowest' }))).to.deep.equal({ value: undefined });
    expect(versionOf({}, attribute('counter', { name: 'constructor' }))).to.have.property('refused');
  });

  it("of a removal is the higher of the item's and the time of the removal", () => {
    const of = (kind: VersionKind, value: Parameters<typeof removalValue>[0]) => removalValue(value, NOW, kind);
    expect(of('epochMillis', { N: '5' })).to.deep.equal({ N: String(NOW) });
    expect(of('epochMillis', { N: String(NOW + 9) })).to.deep.equal({ N: String(NOW + 9) });
    expect(of('epochSeconds', { N: '5' })).to.deep.equal({ N: String(Math.floor(NOW / 1000)) });
    expect(of('counter', { N: '5' })).to.deep.equal({ N: '5' });
    expect(of('epochMillis', undefined)).to.deep.equal({ N: String(NOW) });
    expect(of('counter', undefined)).to.equal(undefined);
  });

  it("of a removal is a time in the application's own form where text is one, else the item's", () => {
    const of = (text: string) => removalValue({ S: text }, NOW, 'text');
    expect(of('2026-01-01T00:00:00Z')).to.deep.equal({ S: '2026-11-23T01:02:03Z' });
    expect(of('2026-01-01T00:00:00.000Z')).to.deep.equal({ S: '2026-11-23T01:02:03.045Z' });
    expect(of('2026-01-01T00:00:00.000000Z')).to.deep.equal({ S: '2026-11-23T01:02:03.045000Z' });
    expect(of('2027-01-01T00:00:00.000Z')).to.deep.equal({ S: '2027-01-01T00:00:00.000Z' });
    expect(of('01JD5ZK4X')).to.deep.equal({ S: '01JD5ZK4X' });
  });

  it('may lie a quarter of an hour in the future, not more, where it is a time', () => {
    const limit = NOW + 900_000;
    expect(tooFarAhead({ N: String(limit) }, NOW, attribute('epochMillis'))).to.equal(undefined);
    expect(tooFarAhead({ N: String(limit + 1) }, NOW, attribute('epochMillis'))).to.include('maxAheadSeconds');
    expect(tooFarAhead({ N: String(limit) }, NOW, attribute('epochSeconds'))).to.include('900 s in the future');
    expect(tooFarAhead({ S: '2026-11-24T00:00:00Z' }, NOW, attribute('text'))).to.include('maxAheadSeconds');
    expect(tooFarAhead({ S: 'zzz' }, NOW, attribute('text'))).to.equal(undefined);
    expect(tooFarAhead({ N: '1e30' }, NOW, attribute('counter'))).to.equal(undefined);
    expect(tooFarAhead(undefined, NOW, attribute('epochMillis'))).to.equal(undefined);
  });
});
